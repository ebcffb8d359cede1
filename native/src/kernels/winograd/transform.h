// Winograd's transformations (winograd_convolution.h) for vectors of any kind. For ISA files only.
//
// Lanes supplies Vector, Add(a, b) and Sub(a, b); for windows also X and V, the elements that are read and written,
// kElements of a vector, Load(const X*) and Store(V*, Vector).
#pragma once
#include "kernels/winograd/rows.h"
#include "kernels/winograd/tile_walk.h"
#include "simd/inline.h"

namespace lowp {
namespace {

// d <- B' d, for one column of a window.
template <class Lanes, class Vector>
LOWP_INLINE void TransformLine(Vector& d0, Vector& d1, Vector& d2, Vector& d3) {
  const Vector v0 = Lanes::Sub(d0, d2), v1 = Lanes::Add(d1, d2), v2 = Lanes::Sub(d2, d1), v3 = Lanes::Sub(d1, d3);
  d0 = v0;
  d1 = v1;
  d2 = v2;
  d3 = v3;
}

// v = B' d B of every tile.
template <class Lanes>
void TransformWindows(const WinogradInput<typename Lanes::X, typename Lanes::V>& t) {
  TileWalk at(*t.geometry, t.first);
  const size_t channels = t.geometry->in_c;
  for (size_t i = 0; i < t.count; i++, at.Next()) {
    const typename Lanes::X* pixels[kWinogradProducts];
    at.FindWindow(t.x, t.outside, pixels);
    typename Lanes::V* v = t.v + i * t.pitch;
    for (size_t c = 0; c < channels; c += Lanes::kElements) {
      typename Lanes::Vector d[kWinogradProducts];
      LOWP_UNROLL for (size_t p = 0; p < kWinogradProducts; p++) d[p] = Lanes::Load(pixels[p] + c);
      LOWP_UNROLL for (int k = 0; k < 4; k++) TransformLine<Lanes>(d[k], d[4 + k], d[8 + k], d[12 + k]);
      LOWP_UNROLL for (int k = 0; k < 4; k++) TransformLine<Lanes>(d[4 * k], d[4 * k + 1], d[4 * k + 2], d[4 * k + 3]);
      LOWP_UNROLL for (size_t p = 0; p < kWinogradProducts; p++) Lanes::Store(v + p * t.product_pitch + c, d[p]);
    }
  }
}

// A' m for one column of products.
template <class Lanes, class Vector>
LOWP_INLINE void SumLine(Vector m0, Vector m1, Vector m2, Vector m3, Vector* first, Vector* second) {
  *first = Lanes::Add(Lanes::Add(m0, m1), m2);
  *second = Lanes::Sub(Lanes::Sub(m1, m2), m3);
}

// y[2 * row + column] = A' m A; load(p) is product p.
template <class Lanes, class Vector, class Load>
LOWP_INLINE void SumProducts(const Load& load, Vector (&y)[4]) {
  Vector upper[4], lower[4];
  LOWP_UNROLL for (size_t i = 0; i < 4; i++)
    SumLine<Lanes>(load(i), load(4 + i), load(8 + i), load(12 + i), &upper[i], &lower[i]);
  SumLine<Lanes>(upper[0], upper[1], upper[2], upper[3], &y[0], &y[1]);
  SumLine<Lanes>(lower[0], lower[1], lower[2], lower[3], &y[2], &y[3]);
}

}  // namespace
}  // namespace lowp
