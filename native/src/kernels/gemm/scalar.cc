// The gemm rows in plain C++: the specification of the others.
#include <cstring>

#include "kernels/common/epilogue_scalar.h"
#include "kernels/common/exact_fma.h"
#include "kernels/gemm/row.h"

namespace lowp {
namespace {

constexpr size_t kLanes = 8;

void AddProducts(float (&sum)[kLanes], const uint8_t* x, const uint8_t* weights) {
  float value, w[kLanes];
  std::memcpy(&value, x, sizeof(value));
  std::memcpy(w, weights, sizeof(w));
  ExactFma(value, w, sum);
}

void AddProducts(int32_t (&sum)[kLanes], const uint8_t* x, const uint8_t* weights) {
  const int32_t x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
  const int8_t* w = reinterpret_cast<const int8_t*>(weights);
  for (size_t j = 0; j < kLanes; j++, w += 4) sum[j] += x0 * w[0] + x1 * w[1] + x2 * w[2] + x3 * w[3];
}

void Start(const PanelTask& t, size_t row, float (&sum)[kLanes]) {
  for (size_t j = 0; j < kLanes; j++) sum[j] = t.resume ? t.partial[row * kLanes + j] : 0.0f;
}

void Start(const PanelTask& t, size_t row, int32_t (&sum)[kLanes]) {
  for (size_t j = 0; j < kLanes; j++) sum[j] = t.initial[j] + (t.row_initial ? t.row_initial[row] : 0);
}

bool Suspend(const PanelTask& t, size_t row, const float (&sum)[kLanes]) {
  if (t.suspend) std::memcpy(t.partial + row * kLanes, sum, sizeof(sum));
  return t.suspend;
}

bool Suspend(const PanelTask&, size_t, const int32_t (&)[kLanes]) { return false; }

// y and residual of the task begin at channel n, FinishElement counts from channel 0.
template <class Sum>
void Finish(const PanelTask& t, size_t row, const Sum (&sum)[kLanes]) {
  const Epilogue& e = *t.epilogue;
  const size_t y_bytes = e.u8_output ? 1 : 4, residual_bytes = e.residual == ResidualKind::kF32 ? 4 : 1;
  uint8_t* y = t.y + row * t.y_stride - t.n * y_bytes;
  const uint8_t* residual = t.residual ? t.residual + row * t.residual_stride - t.n * residual_bytes : nullptr;
  for (size_t j = 0; j < t.columns; j++)
    FinishElement(e, ScaleAccumulator(e, sum[j], t.n + j), t.n + j, residual, y);
}

template <class Sum>
void RunPanel(const PanelTask& t) {
  for (size_t row = 0; row < t.m; row++) {
    Sum sum[kLanes];
    Start(t, row, sum);
    const uint8_t* weights = t.weights;
    for (size_t s = 0; s < t.segment_count; s++) {
      const uint8_t* x = t.rows[row] + t.row_offset + t.segments[s].offset;
      for (uint64_t step = 0; step < t.segments[s].steps; step++, x += 4, weights += kLanes * 4)
        AddProducts(sum, x, weights);
    }
    if (!Suspend(t, row, sum)) Finish(t, row, sum);
  }
}

}  // namespace

const GemmRow gemm_f32_scalar_1x8 = {
    "gemm_f32_scalar_1x8", Isa::kScalar, Packing::kSingles, kLanes, 1, 1, 1, RunPanel<float>};
const GemmRow gemm_u8s8_scalar_1x8 = {
    "gemm_u8s8_scalar_1x8", Isa::kScalar, Packing::kQuads, kLanes, 1, 1, 1, RunPanel<int32_t>};

}  // namespace lowp
