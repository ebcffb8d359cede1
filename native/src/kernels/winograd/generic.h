// The transformations of Winograd convolutions of floats over the vector interface; include a simd/vec_*.h before it.
#pragma once
#include "kernels/winograd/rows.h"
#include "kernels/winograd/tile_walk.h"
#include "simd/inline.h"

namespace lowp {
namespace {

using simd::Vec;

// d <- B' d, for one column of a window.
LOWP_INLINE void TransformLine(Vec& d0, Vec& d1, Vec& d2, Vec& d3) {
  const Vec v0 = simd::Sub(d0, d2), v1 = simd::Add(d1, d2), v2 = simd::Sub(d2, d1), v3 = simd::Sub(d1, d3);
  d0 = v0;
  d1 = v1;
  d2 = v2;
  d3 = v3;
}

// d[row * 4 + column] <- B' d B.
LOWP_INLINE void TransformWindow(Vec (&d)[kWinogradProducts]) {
  LOWP_UNROLL for (int i = 0; i < 4; i++) TransformLine(d[i], d[4 + i], d[8 + i], d[12 + i]);
  LOWP_UNROLL for (int i = 0; i < 4; i++) TransformLine(d[4 * i], d[4 * i + 1], d[4 * i + 2], d[4 * i + 3]);
}

void TransformInput(const WinogradInput& t) {
  TileWalk at(*t.geometry, t.first);
  const size_t channels = t.geometry->in_c;
  for (size_t i = 0; i < t.count; i++, at.Next()) {
    const float* pixels[kWinogradProducts];
    at.FindWindow(t.x, t.zeros, pixels);
    float* v = t.v + i * t.pitch;
    for (size_t c = 0; c < channels; c += simd::kLanes) {
      Vec d[kWinogradProducts];
      LOWP_UNROLL for (size_t p = 0; p < kWinogradProducts; p++) d[p] = simd::Load(pixels[p] + c);
      TransformWindow(d);
      LOWP_UNROLL for (size_t p = 0; p < kWinogradProducts; p++) simd::Store(v + p * t.product_pitch + c, d[p]);
    }
  }
}

// A' m for one column of products.
LOWP_INLINE void SumLine(Vec m0, Vec m1, Vec m2, Vec m3, Vec* first, Vec* second) {
  *first = simd::Add(simd::Add(m0, m1), m2);
  *second = simd::Sub(simd::Sub(m1, m2), m3);
}

// y[2 * row + column] = A' m A.
LOWP_INLINE void SumProducts(const float* m, size_t pitch, Vec (&y)[4]) {
  Vec upper[4], lower[4];
  LOWP_UNROLL for (size_t i = 0; i < 4; i++) {
    SumLine(simd::Load(m + i * pitch), simd::Load(m + (4 + i) * pitch), simd::Load(m + (8 + i) * pitch),
            simd::Load(m + (12 + i) * pitch), &upper[i], &lower[i]);
  }
  SumLine(upper[0], upper[1], upper[2], upper[3], &y[0], &y[1]);
  SumLine(lower[0], lower[1], lower[2], lower[3], &y[2], &y[3]);
}

// Stores `count` channels, at most kLanes, of one pixel.
LOWP_INLINE void FinishVector(const Epilogue& e, Vec sum, size_t n, const float* residual, float* y, size_t count) {
  const bool whole = count >= simd::kLanes;
  Vec v = simd::Add(sum, simd::Load(e.bias + n));
  if (e.mid) {
    v = simd::Min(simd::Max(simd::RoundEven(v), simd::Set(e.mid_low)), simd::Set(e.mid_high));
    v = simd::Fma(v, simd::Set(e.mid_scale), simd::Set(e.mid_bias));
  }
  if (e.residual != ResidualKind::kNone) {
    const Vec r = whole ? simd::Load(residual + n) : simd::LoadPart(residual + n, count);
    v = simd::Fma(r, simd::Set(e.residual_scale), v);
  }
  v = simd::Min(simd::Max(v, simd::Set(e.low)), simd::Set(e.high));
  if (whole) simd::Store(y + n, v);
  else simd::StorePart(y + n, v, count);
}

void TransformOutput(const WinogradOutput& t) {
  const WinogradGeometry& g = *t.geometry;
  TileWalk at(g, t.first);
  for (size_t i = 0; i < t.count; i++, at.Next()) {
    for (size_t c = 0; c < t.columns; c += simd::kLanes) {
      Vec sums[4];
      SumProducts(t.m + i * t.pitch + c, t.product_pitch, sums);
      LOWP_UNROLL for (size_t k = 0; k < 4; k++) {
        if (k / 2 >= at.rows() || k % 2 >= at.columns()) continue;
        const size_t to = at.pixel() + k / 2 * g.out_w + k % 2;
        const float* residual = t.residual ? t.residual + to * t.residual_stride : nullptr;
        FinishVector(*t.epilogue, sums[k], t.n + c, residual, t.y + to * g.out_stride, t.columns - c);
      }
    }
  }
}

}  // namespace
}  // namespace lowp
