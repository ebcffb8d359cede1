// What an instruction set implements for convolutions of bytes by Winograd.
#pragma once
#include "kernels/gemm/row.h"
#include "kernels/winograd/rows.h"

namespace lowp {

struct WinogradByteRow {
  const char* name;
  Isa isa;
  const GemmRow* gemm;  // s16 pairs against s16 pairs; only ever suspends its sums
  void (*transform_input)(const WinogradInput<uint8_t, int16_t>& task);
  void (*transform_output)(const WinogradOutput<int32_t>& task);
};

#if defined(__x86_64__)
extern const WinogradByteRow winograd_u8s8_avx2_6x16;
extern const WinogradByteRow winograd_u8s8_avx512_6x64;
#endif

}  // namespace lowp
