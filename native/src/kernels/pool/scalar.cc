// Pooling in plain C++, 16 channels at a time: the specification of the room.
#include <algorithm>
#include <cfloat>

#include "base/rounding.h"
#include "kernels/common/exact_fma.h"
#include "kernels/pool/row.h"

namespace lowp {
namespace {

// Channels that a row keeps at once. Loads go up to kReadSlack behind x; only the channels of the task are stored.
constexpr size_t kBlock = 16;

// sums[i] = fold(sums[i], x) for channels c + i at every position of a window inside the input, in order.
template <class T, class Sum, class Fold>
void FoldBlock(const PoolTask& task, const PoolSpan& column, size_t c, Sum (&sums)[kBlock], const Fold& fold) {
  const uint8_t* plane = task.x + task.plane.first * task.in_plane + task.row.first * task.in_row +
                         column.first * task.in_pixel + c * sizeof(T);
  for (uint32_t kz = 0; kz < task.plane.length; kz++, plane += task.step_d) {
    for (uint32_t ky = 0; ky < task.row.length; ky++) {
      for (uint32_t kx = 0; kx < column.length; kx++) {
        const T* x = reinterpret_cast<const T*>(plane + ky * task.step_h + kx * task.step_w);
        for (size_t i = 0; i < kBlock; i++) sums[i] = fold(sums[i], x[i]);
      }
    }
  }
}

template <class T>
void RunMax(const PoolTask& task) {
  constexpr T kLowest = sizeof(T) == 1 ? T(0) : T(-FLT_MAX);
  for (size_t ox = 0; ox < task.out_w; ox++) {
    for (size_t c = task.begin; c < task.end; c += kBlock) {
      T most[kBlock];
      std::fill_n(most, kBlock, kLowest);
      FoldBlock<T>(task, task.columns[ox], c, most, [](T m, T v) { return v > m ? v : m; });
      std::copy_n(most, std::min(kBlock, task.end - c), reinterpret_cast<T*>(task.y + ox * task.out_pixel) + c);
    }
  }
}

void RunAverageF32(const PoolTask& task) {
  for (size_t ox = 0; ox < task.out_w; ox++) {
    const PoolSpan& column = task.columns[ox];
    const uint64_t count = task.plane.count * task.row.count * column.count;
    const float divisor = count > 0 ? static_cast<float>(count) : 1.0f;
    float* y = reinterpret_cast<float*>(task.y + ox * task.out_pixel);
    for (size_t c = task.begin; c < task.end; c += kBlock) {
      float sums[kBlock] = {};
      FoldBlock<float>(task, column, c, sums, [](float sum, float v) { return sum + v; });
      for (size_t i = 0; i < kBlock && c + i < task.end; i++) y[c + i] = sums[i] / divisor;
    }
  }
}

void RunAverageU8(const PoolTask& task) {
  for (size_t ox = 0; ox < task.out_w; ox++) {
    const PoolSpan& column = task.columns[ox];
    const uint64_t count = task.plane.count * task.row.count * column.count;
    const float divisor = count > 0 ? static_cast<float>(count) : 1.0f;
    const int32_t offset = static_cast<int32_t>(task.plane.length * task.row.length * column.length) * task.zero_point;
    uint8_t* y = task.y + ox * task.out_pixel;
    for (size_t c = task.begin; c < task.end; c += kBlock) {
      int32_t sums[kBlock] = {};
      FoldBlock<uint8_t>(task, column, c, sums, [](int32_t sum, uint8_t v) { return sum + v; });
      for (size_t i = 0; i < kBlock && c + i < task.end; i++) {
        const float v = ExactFma(static_cast<float>(sums[i] - offset) / divisor, task.scale, task.bias);
        if (task.u8_output) {
          y[c + i] = RoundToU8(v);
        } else {
          reinterpret_cast<float*>(y)[c + i] = v;
        }
      }
    }
  }
}

}  // namespace

extern const PoolRow pool_max_f32_scalar_1x16 = {"pool_max_f32_scalar_1x16", Isa::kScalar, PoolKind::kMaxF32,
                                                 RunMax<float>};
extern const PoolRow pool_max_u8_scalar_1x16 = {"pool_max_u8_scalar_1x16", Isa::kScalar, PoolKind::kMaxU8,
                                                RunMax<uint8_t>};
extern const PoolRow pool_average_f32_scalar_1x16 = {"pool_average_f32_scalar_1x16", Isa::kScalar,
                                                     PoolKind::kAverageF32, RunAverageF32};
extern const PoolRow pool_average_u8_scalar_1x16 = {"pool_average_u8_scalar_1x16", Isa::kScalar, PoolKind::kAverageU8,
                                                    RunAverageU8};

}  // namespace lowp
