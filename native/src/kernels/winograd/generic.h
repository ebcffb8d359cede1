// The transformations of `winograd` over the vector interface; include a simd/vec_*.h before it.
#pragma once
#include <algorithm>

#include "kernels/winograd/rows.h"
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

// Where the next tiles are.
class TileWalk {
 public:
  TileWalk(const WinogradGeometry& g, size_t tile)
      : g_(g), tx_(tile % g.tiles_w), ty_(tile / g.tiles_w % g.tiles_h), image_(tile / g.tiles_w / g.tiles_h) {}

  size_t image() const { return image_; }
  size_t y() const { return 2 * ty_; }
  size_t x() const { return 2 * tx_; }
  void Next() {
    if (++tx_ < g_.tiles_w) return;
    tx_ = 0;
    if (++ty_ < g_.tiles_h) return;
    ty_ = 0;
    image_++;
  }

 private:
  const WinogradGeometry& g_;
  size_t tx_, ty_, image_;
};

// Places left of or above x wrap around to large numbers.
LOWP_INLINE void FindWindow(const WinogradInput& t, const TileWalk& at, const float* (&pixels)[kWinogradProducts]) {
  const WinogradGeometry& g = *t.geometry;
  for (size_t i = 0; i < 4; i++) {
    const size_t y = at.y() + i - g.pad_top;
    for (size_t j = 0; j < 4; j++) {
      const size_t x = at.x() + j - g.pad_left;
      const bool inside = y < g.in_h && x < g.in_w;
      pixels[4 * i + j] = inside ? t.x + ((at.image() * g.in_h + y) * g.in_w + x) * g.in_stride : t.zeros;
    }
  }
}

void TransformInput(const WinogradInput& t) {
  TileWalk at(*t.geometry, t.first);
  const size_t channels = t.geometry->in_c;
  for (size_t i = 0; i < t.count; i++, at.Next()) {
    const float* pixels[kWinogradProducts];
    FindWindow(t, at, pixels);
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
    const size_t rows = std::min<size_t>(2, g.out_h - at.y()), columns = std::min<size_t>(2, g.out_w - at.x());
    const size_t pixel = (at.image() * g.out_h + at.y()) * g.out_w + at.x();
    for (size_t c = 0; c < t.columns; c += simd::kLanes) {
      Vec sums[4];
      SumProducts(t.m + i * t.pitch + c, t.product_pitch, sums);
      LOWP_UNROLL for (size_t k = 0; k < 4; k++) {
        if (k / 2 >= rows || k % 2 >= columns) continue;
        const size_t to = pixel + k / 2 * g.out_w + k % 2;
        const float* residual = t.residual ? t.residual + to * t.residual_stride : nullptr;
        FinishVector(*t.epilogue, sums[k], t.n + c, residual, t.y + to * g.out_stride, t.columns - c);
      }
    }
  }
}

}  // namespace
}  // namespace lowp
