// `softmax` over the vector interface; include simd/vec_avx2.h or simd/vec_avx512.h before this file.
#pragma once
#include "kernels/softmax/rows.h"
#include "simd/elementary.h"
#include "simd/steps.h"

namespace lowp {
namespace {

using namespace simd;

// The largest of n elements, NaN left out; -Inf when there is none.
LOWP_INLINE float LargestOf(const float* x, size_t n) {
  const Vec lowest = Set(-__builtin_inff());
  Vec m0 = lowest, m1 = lowest;
  size_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    m0 = Max(Load(x + i), m0);
    m1 = Max(Load(x + i + kLanes), m1);
  }
  if (i + kLanes <= n) {
    m0 = Max(Load(x + i), m0);
    i += kLanes;
  }
  if (i < n) m1 = Max(KeepFirst(LoadPart(x + i, n - i), n - i, lowest), m1);
  return HorizontalMax(Max(m0, m1));
}

// exp(x - max) and e / sum.
LOWP_INLINE Vec Exponential(Vec x, Vec max) { return FlushSubnormals(Exp(Sub(x, max))); }
LOWP_INLINE Vec Share(Vec e, Vec sum) { return FlushSubnormals(Div(e, sum)); }

// y = exp(x - max), and the sum in the order of softmax.h.
LOWP_INLINE float Exponentials(const float* x, float* y, size_t n, Vec max) {
  Vec s[kParts];
#pragma GCC unroll 2
  for (size_t part = 0; part < kParts; part++) s[part] = Set(0.0f);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
#pragma GCC unroll 2
    for (size_t part = 0; part < kParts; part++) {
      const Vec e = Exponential(Load(x + i + part * kLanes), max);
      Store(y + i + part * kLanes, e);
      s[part] = Add(s[part], e);
    }
  }
#pragma GCC unroll 2
  for (size_t part = 0; part < kParts; part++) {
    if (i >= n) break;
    const size_t count = n - i < kLanes ? n - i : kLanes;
    const Vec e = KeepFirst(Exponential(LoadPart(x + i, count), max), count, Set(0.0f));
    StorePart(y + i, e, count);
    s[part] = Add(s[part], e);
    i += count;
  }
  return TreeSum(s);
}

// Rows up to this length share a vector, each in a lane.
constexpr size_t kShortAxis = 16;

// kLanes rows.
LOWP_INLINE void ShortRows(const float* x, float* y, size_t axis) {
  Vec e[kShortAxis];
  Vec max = Set(-__builtin_inff());
  for (size_t i = 0; i < axis; i++) {
    e[i] = LoadSteps(x + i, axis, kLanes);
    max = Max(e[i], max);
  }
  Vec s[kShortAxis];
  for (size_t i = 0; i < kShortAxis; i++) s[i] = Set(0.0f);
  for (size_t i = 0; i < axis; i++) {
    e[i] = Exponential(e[i], max);
    s[i] = Add(s[i], e[i]);
  }
  for (size_t half = kShortAxis / 2; half > 0; half /= 2)
    for (size_t j = 0; j < half; j++) s[j] = Add(s[j], s[j + half]);
  for (size_t i = 0; i < axis; i++) StoreSteps(y + i, axis, Share(e[i], s[0]));
}

void Contiguous(const float* x, float* y, size_t rows, size_t axis) {
  for (; axis <= kShortAxis && rows >= kLanes; rows -= kLanes, x += kLanes * axis, y += kLanes * axis)
    ShortRows(x, y, axis);
  for (size_t r = 0; r < rows; r++, x += axis, y += axis) {
    const Vec sum = Set(Exponentials(x, y, axis, Set(LargestOf(x, axis))));
    size_t i = 0;
    for (; i + kLanes <= axis; i += kLanes) Store(y + i, Share(Load(y + i), sum));
    if (i < axis) StorePart(y + i, Share(LoadPart(y + i, axis - i), sum), axis - i);
  }
}

// n floats, at most 4 * kLanes of them, divided and rounded.
LOWP_INLINE Bytes BytesOf(const float* e, size_t n, Vec sum, const SoftmaxBytes& b) {
  Vec v[4];
#pragma GCC unroll 4
  for (size_t j = 0; j < 4; j++) {
    const size_t at = j * kLanes;
    const Vec value = at + kLanes <= n ? Load(e + at) : at < n ? LoadPart(e + at, n - at) : Set(0.0f);
    v[j] = Fma(Share(value, sum), Set(b.inv_scale), Set(b.shift));
  }
  return MinBytes(MaxBytes(RoundToBytes(v[0], v[1], v[2], v[3]), SetBytes(b.low)), SetBytes(b.high));
}

void Quantized(const float* x, float* buffer, uint8_t* y, size_t rows, size_t axis, const SoftmaxBytes& b) {
  constexpr size_t kBlock = 4 * kLanes;
  for (size_t r = 0; r < rows; r++, x += axis, y += axis) {
    const Vec sum = Set(Exponentials(x, buffer, axis, Set(LargestOf(x, axis))));
    size_t i = 0;
    for (; i + kBlock <= axis; i += kBlock) StoreBytes(y + i, BytesOf(buffer + i, kBlock, sum, b));
    if (i < axis) StoreBytesPart(y + i, BytesOf(buffer + i, axis - i, sum, b), axis - i);
  }
}

LOWP_INLINE Vec LoadFirst(const float* p, size_t n) { return n == kLanes ? Load(p) : LoadPart(p, n); }
LOWP_INLINE void StoreFirst(float* p, Vec v, size_t n) {
  if (n == kLanes)
    Store(p, v);
  else
    StorePart(p, v, n);
}

// Axes up to this length are read and written once, through a buffer: their elements may be so far apart that they
// push each other out of the caches.
constexpr size_t kBufferedAxis = 256;

// n <= kLanes columns side by side.
LOWP_INLINE void Columns(const float* x, float* y, size_t axis, size_t inner, size_t n, bool buffered) {
  alignas(64) float buffer[kBufferedAxis * kLanes];
  Vec max = Set(-__builtin_inff());
  for (size_t i = 0; i < axis; i++) {
    const Vec v = LoadFirst(x + i * inner, n);
    max = Max(v, max);
    if (buffered) Store(buffer + i * kLanes, v);
  }
  Vec s[16];
  for (size_t j = 0; j < 16; j++) s[j] = Set(0.0f);
  for (size_t i = 0; i < axis; i++) {
    const Vec e = Exponential(buffered ? Load(buffer + i * kLanes) : LoadFirst(x + i * inner, n), max);
    if (buffered)
      Store(buffer + i * kLanes, e);
    else
      StoreFirst(y + i * inner, e, n);
    s[i % 16] = Add(s[i % 16], e);
  }
  for (size_t half = 8; half > 0; half /= 2)
    for (size_t j = 0; j < half; j++) s[j] = Add(s[j], s[j + half]);
  for (size_t i = 0; i < axis; i++) {
    const Vec e = buffered ? Load(buffer + i * kLanes) : LoadFirst(y + i * inner, n);
    StoreFirst(y + i * inner, Share(e, s[0]), n);
  }
}

void Strided(const float* x, float* y, size_t axis, size_t inner, size_t columns) {
  for (size_t c = 0; c < columns; c += kLanes) {
    const size_t n = columns - c < kLanes ? columns - c : kLanes;
    if (axis <= kBufferedAxis)
      Columns(x + c, y + c, axis, inner, n, true);
    else
      Columns(x + c, y + c, axis, inner, n, false);
  }
}

}  // namespace
}  // namespace lowp
