// `matmul_s16` in plain C++: the specification of the other rows. Needs no proof, its sums are s64.
#include "kernels/common/epilogue_scalar.h"
#include "kernels/matmul_s16/rows.h"

namespace lowp {
namespace {

constexpr size_t kLanes = 8;

int64_t Sum(const S16Task& t, const int16_t* x, size_t column) {
  int64_t sum = 0;
  const int16_t* w = t.weights + column * 2;
  for (size_t b = 0; b < t.block_count; b++) {
    const int16_t* pair = x + size_t{t.blocks[b].first} * 2;
    for (size_t s = 0; s < t.blocks[b].steps; s++, pair += 2, w += kLanes * 2)
      sum += int64_t{pair[0]} * w[0] + int64_t{pair[1]} * w[1];
  }
  return sum;
}

int32_t Saturate(int64_t v) {
  return static_cast<int32_t>(v < INT32_MIN ? INT32_MIN : v > INT32_MAX ? INT32_MAX : v);
}

void Run(const S16Task& t) {
  for (size_t i = 0; i < t.m; i++) {
    const int32_t* residual = t.residual ? static_cast<const int32_t*>(t.residual) + i * t.residual_stride : nullptr;
    int32_t* y = static_cast<int32_t*>(t.y) + i * t.y_stride;
    for (size_t c = 0; c < t.columns; c++) {
      const int64_t sum = Sum(t, t.x + i * t.x_stride, c);
      if (t.epilogue) {
        const Epilogue& e = *t.epilogue;
        const float v = std::fmaf(static_cast<float>(sum), e.scale[t.n + c], e.bias[t.n + c]);
        FinishElement(e, v, c, residual, y);
      } else {
        y[c] = Saturate(sum + t.bias[t.n + c] + (residual ? residual[c] : 0));
      }
    }
  }
}

}  // namespace

const MatmulS16Rows matmul_s16_scalar_1x8 = {kLanes, 1, Run};

}  // namespace lowp
