// A row of the shallow room: one register-tiled micro-kernel for pixels at equal distances, and its task.
#pragma once
#include <cstddef>
#include <cstdint>

#include "cpu/isa.h"
#include "kernels/gemm/row.h"

namespace lowp {

// What neighbouring output pixels read: of every line `steps` floats, those of pixel i `i * distance` bytes behind those of
// pixel 0.
struct LineTask {
  const uint8_t* const* lines = nullptr;  // [count], what pixel 0 reads
  size_t count = 0;
  size_t steps = 0;
  size_t distance = 0;
  // What is fetched meanwhile: in each step and for each pixel `next_share / 65536` bytes of what the next pixels read,
  // and for each pixel `ahead_distance` bytes, those of pixel i at `ahead + i * ahead_distance`.
  size_t next_share = 0;
  const uint8_t* ahead = nullptr;
  size_t ahead_distance = 0;
};

struct ShallowRow {
  const char* name;
  Isa isa;
  uint32_t lanes;
  uint32_t most_vectors;  // widest panel
  uint32_t least_pixels;  // of a task
  // Pixels [0, task.m) of a panel: task's weights, vectors, n, columns, epilogue, y and residual count.
  void (*run)(const LineTask& x, const PanelTask& task);
};

#if defined(__x86_64__)
extern const ShallowRow shallow_f32_avx2_6x16;
extern const ShallowRow shallow_f32_avx512_13x32;
#endif

}  // namespace lowp
