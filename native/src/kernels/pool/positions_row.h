// The rows of `max_positions` and the task they are given. For ISA files too.
#pragma once
#include "kernels/pool/row.h"

namespace lowp {

// One row of output pixels, all channels.
struct PositionsTask {
  const uint8_t* x = nullptr;    // the volume
  uint8_t* y = nullptr;          // channel 0 of the row's first pixel
  uint8_t* positions = nullptr;  // likewise
  size_t channels = 0;
  size_t out_w = 0;
  PoolSpan plane = {};
  PoolSpan row = {};
  const PoolSpan* columns = nullptr;  // [out_w]
  size_t in_pixel = 0;                // bytes from pixel to pixel of x
  size_t in_row = 0;
  size_t in_plane = 0;
  size_t out_pixel = 0;               // bytes from pixel to pixel of y
  uint32_t in_h = 1, in_w = 1;
  uint32_t dilation_d = 1, dilation_h = 1, dilation_w = 1;
  uint32_t base = 0;                  // of channel 0
  uint32_t channel_step = 0;
  uint32_t period = 1;                // at most in_d * in_h * in_w
  bool is_whole = true;               // the period is all of the volume
};

using PositionsFunction = void (*)(const PositionsTask& task);

// By the types of x and of the positions.
struct PositionsRows {
  PositionsFunction f32_i32, f32_i64, u8_i32, u8_i64;
};

extern const PositionsRows max_positions_scalar_1x16;
extern const PositionsRows max_positions_avx2_1x16;
extern const PositionsRows max_positions_avx512_1x16;

}  // namespace lowp
