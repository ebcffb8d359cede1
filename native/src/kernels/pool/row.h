// A row of the pool room and the task it is given. For ISA files too.
#pragma once
#include <cstddef>
#include <cstdint>

#include "cpu/isa.h"

namespace lowp {

enum class PoolKind : uint32_t { kMaxF32, kMaxU8, kAverageF32, kAverageU8 };

// The positions of a window along one axis that are inside the input: `length` of them from coordinate `first` on, one
// dilation apart. `count` is what an average counts.
struct PoolSpan {
  uint32_t first;
  uint32_t length;
  uint64_t count;
};

// One row of output pixels, channels [begin, end).
struct PoolTask {
  const uint8_t* x = nullptr;  // the volume
  uint8_t* y = nullptr;        // channel 0 of the row's first pixel
  size_t begin = 0;
  size_t end = 0;
  size_t out_w = 0;
  PoolSpan plane = {};
  PoolSpan row = {};
  const PoolSpan* columns = nullptr;  // [out_w]
  size_t in_pixel = 0;                // bytes from pixel to pixel of x
  size_t in_row = 0;                  // bytes from row to row
  size_t in_plane = 0;                // bytes from plane to plane
  size_t step_d = 0;                  // bytes from position to position of a window
  size_t step_h = 0;
  size_t step_w = 0;
  size_t out_pixel = 0;
  bool u8_output = false;
  int32_t zero_point = 0;
  float scale = 1;
  float bias = 0;
};

struct PoolRow {
  const char* name;
  Isa isa;
  PoolKind kind;
  void (*run)(const PoolTask& task);
};

extern const PoolRow pool_max_f32_scalar_1x16;
extern const PoolRow pool_max_u8_scalar_1x16;
extern const PoolRow pool_average_f32_scalar_1x16;
extern const PoolRow pool_average_u8_scalar_1x16;
#if defined(__x86_64__)
extern const PoolRow pool_max_f32_avx2_1x32;
extern const PoolRow pool_max_u8_avx2_1x128;
extern const PoolRow pool_average_f32_avx2_1x32;
extern const PoolRow pool_average_u8_avx2_1x32;
extern const PoolRow pool_max_f32_avx512_1x64;
extern const PoolRow pool_max_u8_avx512_1x256;
extern const PoolRow pool_average_f32_avx512_1x64;
extern const PoolRow pool_average_u8_avx512_1x64;
#endif

}  // namespace lowp
