// What an instruction set implements for convolutions of bytes by Winograd.
#pragma once
#include "kernels/gemm/row.h"
#include "kernels/winograd/rows.h"

namespace lowp {

// v[p][t - first] of tiles [first, first + count), s16. Geometry in bytes.
struct WinogradByteInput {
  const WinogradGeometry* geometry = nullptr;
  const uint8_t* x = nullptr;
  const uint8_t* outside = nullptr;  // a pixel outside of x
  size_t first = 0, count = 0;
  int16_t* v = nullptr;              // of tile `first` and product 0; whole vectors are written
  size_t pitch = 0;                  // words from tile to tile
  size_t product_pitch = 0;          // words from product to product
};

// y of tiles [first, first + count) from m[p][t - first][lanes * vectors], s32.
struct WinogradByteOutput {
  const WinogradGeometry* geometry = nullptr;
  const Epilogue* epilogue = nullptr;
  size_t first = 0, count = 0;
  const int32_t* m = nullptr;
  size_t product_pitch = 0;          // from product to product
  const int32_t* initial = nullptr;  // by channel, added to the sum over taps
  uint32_t vectors = 0;
  size_t n = 0, columns = 0;
  uint8_t* y = nullptr;              // channel n of pixel 0; strides are bytes
  size_t y_stride = 0;
  const uint8_t* residual = nullptr;
  size_t residual_stride = 0;
};

struct WinogradByteRow {
  const char* name;
  Isa isa;
  const GemmRow* gemm;  // s16 pairs against s16 pairs; only ever suspends its sums
  void (*transform_input)(const WinogradByteInput& task);
  void (*transform_output)(const WinogradByteOutput& task);
};

#if defined(__x86_64__)
extern const WinogradByteRow winograd_u8s8_avx2_6x16;
extern const WinogradByteRow winograd_u8s8_avx512_6x64;
#endif

}  // namespace lowp
