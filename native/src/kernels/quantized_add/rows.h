// What an instruction set implements for `quantized_add`.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lowp {

struct QuantizedAddConstants {
  float scale_a, scale_b, bias;
  float float_low, float_high;
  uint8_t low, high;
};

struct QuantizedAddRows {
  void (*to_u8)(const uint8_t* a, const uint8_t* b, uint8_t* y, size_t n, const QuantizedAddConstants& k);
  void (*to_f32)(const uint8_t* a, const uint8_t* b, float* y, size_t n, const QuantizedAddConstants& k);
};

extern const QuantizedAddRows quantized_add_u8_scalar;
extern const QuantizedAddRows quantized_add_u8_avx2_32;
extern const QuantizedAddRows quantized_add_u8_avx512_64;

}  // namespace lowp
