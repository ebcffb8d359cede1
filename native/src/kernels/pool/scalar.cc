// Pooling in plain C++, one output after the other: the specification of the room.
#include <cfloat>

#include "base/rounding.h"
#include "kernels/common/exact_fma.h"
#include "kernels/pool/row.h"

namespace lowp {
namespace {

// Calls visit(address) for channel c at every position of a window inside the input, in the order (ky, kx).
template <class Visit>
void ForPositions(const PoolTask& task, const PoolSpan& column, size_t byte, const Visit& visit) {
  const uint8_t* row = task.x + task.row.first * task.in_row + column.first * task.in_pixel + byte;
  for (uint32_t ky = 0; ky < task.row.length; ky++, row += task.step_h)
    for (uint32_t kx = 0; kx < column.length; kx++) visit(row + kx * task.step_w);
}

template <class T>
T Max(const PoolTask& task, const PoolSpan& column, size_t c, T lowest) {
  T most = lowest;
  ForPositions(task, column, c * sizeof(T), [&](const uint8_t* p) {
    const T v = *reinterpret_cast<const T*>(p);
    most = v > most ? v : most;
  });
  return most;
}

template <class T, class Sum>
Sum Total(const PoolTask& task, const PoolSpan& column, size_t c) {
  Sum sum = 0;
  ForPositions(task, column, c * sizeof(T), [&](const uint8_t* p) { sum += *reinterpret_cast<const T*>(p); });
  return sum;
}

void RunMaxF32(const PoolTask& task) {
  for (size_t ox = 0; ox < task.out_w; ox++) {
    float* y = reinterpret_cast<float*>(task.y + ox * task.out_pixel);
    for (size_t c = task.begin; c < task.end; c++) y[c] = Max<float>(task, task.columns[ox], c, -FLT_MAX);
  }
}

void RunMaxU8(const PoolTask& task) {
  for (size_t ox = 0; ox < task.out_w; ox++) {
    uint8_t* y = task.y + ox * task.out_pixel;
    for (size_t c = task.begin; c < task.end; c++) y[c] = Max<uint8_t>(task, task.columns[ox], c, 0);
  }
}

void RunAverageF32(const PoolTask& task) {
  for (size_t ox = 0; ox < task.out_w; ox++) {
    const uint64_t count = task.row.count * task.columns[ox].count;
    const float divisor = count > 0 ? static_cast<float>(count) : 1.0f;
    float* y = reinterpret_cast<float*>(task.y + ox * task.out_pixel);
    for (size_t c = task.begin; c < task.end; c++) y[c] = Total<float, float>(task, task.columns[ox], c) / divisor;
  }
}

void RunAverageU8(const PoolTask& task) {
  for (size_t ox = 0; ox < task.out_w; ox++) {
    const PoolSpan& column = task.columns[ox];
    const uint64_t count = task.row.count * column.count;
    const float divisor = count > 0 ? static_cast<float>(count) : 1.0f;
    const int32_t offset = static_cast<int32_t>(task.row.length * column.length) * task.zero_point;
    uint8_t* y = task.y + ox * task.out_pixel;
    for (size_t c = task.begin; c < task.end; c++) {
      const int32_t sum = Total<uint8_t, int32_t>(task, column, c) - offset;
      const float v = ExactFma(static_cast<float>(sum) / divisor, task.scale, task.bias);
      if (task.u8_output) {
        y[c] = RoundToU8(v);
      } else {
        reinterpret_cast<float*>(y)[c] = v;
      }
    }
  }
}

}  // namespace

extern const PoolRow pool_max_f32_scalar_1x1 = {"pool_max_f32_scalar_1x1", Isa::kScalar, PoolKind::kMaxF32, RunMaxF32};
extern const PoolRow pool_max_u8_scalar_1x1 = {"pool_max_u8_scalar_1x1", Isa::kScalar, PoolKind::kMaxU8, RunMaxU8};
extern const PoolRow pool_average_f32_scalar_1x1 = {"pool_average_f32_scalar_1x1", Isa::kScalar,
                                                    PoolKind::kAverageF32, RunAverageF32};
extern const PoolRow pool_average_u8_scalar_1x1 = {"pool_average_u8_scalar_1x1", Isa::kScalar, PoolKind::kAverageU8,
                                                   RunAverageU8};

}  // namespace lowp
