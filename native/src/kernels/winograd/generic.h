// Winograd convolutions of floats over the vector interface; include a simd/vec_*.h before it.
#pragma once
#include "kernels/winograd/transform.h"

namespace lowp {
namespace {

struct FloatLanes {
  using X = float;
  using V = float;
  using Vector = simd::Vec;
  static constexpr size_t kElements = simd::kLanes;
  static LOWP_INLINE Vector Load(const float* p) { return simd::Load(p); }
  static LOWP_INLINE void Store(float* p, Vector v) { simd::Store(p, v); }
  static LOWP_INLINE Vector Add(Vector a, Vector b) { return simd::Add(a, b); }
  static LOWP_INLINE Vector Sub(Vector a, Vector b) { return simd::Sub(a, b); }
};

// Stores `count` channels, at most kLanes, of one pixel; n is the first of them.
LOWP_INLINE void FinishVector(const Epilogue& e, simd::Vec sum, size_t n, const float* residual, float* y, size_t count) {
  const bool whole = count >= simd::kLanes;
  simd::Vec v = simd::Add(sum, simd::Load(e.bias + n));
  if (e.mid) {
    v = simd::Min(simd::Max(simd::RoundEven(v), simd::Set(e.mid_low)), simd::Set(e.mid_high));
    v = simd::Fma(v, simd::Set(e.mid_scale), simd::Set(e.mid_bias));
  }
  if (e.residual != ResidualKind::kNone) {
    const simd::Vec r = whole ? simd::Load(residual) : simd::LoadPart(residual, count);
    v = simd::Fma(r, simd::Set(e.residual_scale), v);
  }
  v = simd::Min(simd::Max(v, simd::Set(e.low)), simd::Set(e.high));
  if (whole) simd::Store(y, v);
  else simd::StorePart(y, v, count);
}

void TransformOutput(const WinogradOutput<float>& t) {
  const WinogradGeometry& g = *t.geometry;
  TileWalk at(g, t.first);
  for (size_t i = 0; i < t.count; i++, at.Next()) {
    for (size_t c = 0; c < t.columns; c += simd::kLanes) {
      const float* m = t.m + i * t.pitch + c;
      simd::Vec sums[4];
      SumProducts<FloatLanes>([&](size_t p) { return simd::Load(m + p * t.product_pitch); }, sums);
      LOWP_UNROLL for (size_t k = 0; k < 4; k++) {
        if (k / 2 >= at.rows() || k % 2 >= at.columns()) continue;
        const size_t to = at.pixel() + k / 2 * g.out_w + k % 2;
        const float* residual =
            t.residual ? reinterpret_cast<const float*>(t.residual + to * t.residual_stride) + c : nullptr;
        float* y = reinterpret_cast<float*>(t.y + to * t.y_stride) + c;
        FinishVector(*t.epilogue, sums[k], t.n + c, residual, y, t.columns - c);
      }
    }
  }
}

}  // namespace
}  // namespace lowp
