// What an instruction set implements for `lut`.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lowp {

struct LutRows {
  // y[i] = table[x[i]], i < n; table has 256 entries; y may be x.
  void (*run)(const uint8_t* x, const uint8_t* table, uint8_t* y, size_t n);
};

extern const LutRows lut_u8_scalar;
extern const LutRows lut_u8_avx2_64;
extern const LutRows lut_u8_avx512_64;

}  // namespace lowp
