// `layer_norm` over the vector interface; include simd/vec_avx2.h or simd/vec_avx512.h before this file.
#pragma once
#include "kernels/layer_norm/rows.h"

namespace lowp {
namespace {

using namespace simd;

// Vectors of 32 elements, and of the 16 that TreeSum adds.
constexpr size_t kVectors = 32 / kLanes;

LOWP_INLINE float Fold(const Vec (&s)[kVectors]) {
  Vec half[kParts];
#pragma GCC unroll 4
  for (size_t part = 0; part < kParts; part++) half[part] = Add(s[part], s[part + kParts]);
  return TreeSum(half);
}

// Adds step(element, sum) over the row; elements that do not exist leave their partial sum.
template <class Step>
LOWP_INLINE float SumOf(const float* x, size_t n, Step step) {
  Vec s[kVectors];
#pragma GCC unroll 4
  for (size_t v = 0; v < kVectors; v++) s[v] = Set(0.0f);
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
#pragma GCC unroll 4
    for (size_t v = 0; v < kVectors; v++) s[v] = step(Load(x + i + v * kLanes), s[v]);
  }
#pragma GCC unroll 4
  for (size_t v = 0; v < kVectors; v++) {
    if (i >= n) break;
    const size_t count = n - i < kLanes ? n - i : kLanes;
    s[v] = KeepFirst(step(LoadPart(x + i, count), s[v]), count, s[v]);
    i += count;
  }
  return Fold(s);
}

LOWP_INLINE float FactorOf(const LayerNormTask& t, const float* x, Vec mean) {
  if (!t.variance) return 1.0f;
  const float sum = SumOf(x, t.columns, [mean](Vec v, Vec s) {
    const Vec d = Sub(v, mean);
    return Fma(d, d, s);
  });
  const float variance = sum / static_cast<float>(t.columns);
  alignas(64) float root[kLanes];
  Store(root, Sqrt(Set(t.outside ? variance : variance + t.eps)));
  return 1.0f / (t.outside ? root[0] + t.eps : root[0]);
}

// `count` elements of a row from column i on.
template <bool kPart>
LOWP_INLINE Vec Normalized(const LayerNormTask& t, const float* x, size_t i, size_t count, Vec mean, Vec factor) {
  const auto load = [count](const float* p) { return kPart ? LoadPart(p, count) : Load(p); };
  const Vec y = Mul(Sub(load(x + i), mean), factor);
  if (!t.gamma) return y;
  return Fma(y, load(t.gamma + i), t.beta ? load(t.beta + i) : Set(-0.0f));
}

// 4 * kLanes elements of a row from column i on, `count` of which exist.
template <bool kPart>
LOWP_INLINE void FinishBlock(const LayerNormTask& t, size_t row, size_t i, size_t count, Vec mean, Vec factor) {
  const float* x = t.x + row;
  Vec v[4];
#pragma GCC unroll 4
  for (size_t j = 0; j < 4; j++) {
    const size_t at = j * kLanes, left = count > at ? (count - at < kLanes ? count - at : kLanes) : 0;
    v[j] = kPart && left == 0 ? Set(0.0f) : Normalized<kPart>(t, x, i + at, left, mean, factor);
    if (!t.y) continue;
    if (kPart) {
      if (left > 0) StorePart(t.y + row + i + at, v[j], left);
    } else {
      Store(t.y + row + i + at, v[j]);
    }
  }
  if (!t.q) return;
  const Vec scale = Set(t.inv_scale), shift = Set(t.shift);
  Bytes bytes = RoundToBytes(Fma(v[0], scale, shift), Fma(v[1], scale, shift), Fma(v[2], scale, shift),
                             Fma(v[3], scale, shift));
  bytes = MinBytes(MaxBytes(bytes, SetBytes(t.byte_low)), SetBytes(t.byte_high));
  if (kPart) {
    StoreBytesPart(t.q + row + i, bytes, count);
  } else {
    StoreBytes(t.q + row + i, bytes);
  }
}

void Run(const LayerNormTask& t) {
  constexpr size_t kBlock = 4 * kLanes;
  const float columns = static_cast<float>(t.columns);
  for (size_t r = 0; r < t.rows; r++) {
    const size_t row = r * t.columns;
    const Vec mean = Set(SumOf(t.x + row, t.columns, [](Vec v, Vec s) { return Add(s, v); }) / columns);
    const Vec factor = Set(FactorOf(t, t.x + row, mean));
    size_t i = 0;
    for (; i + kBlock <= t.columns; i += kBlock) FinishBlock<false>(t, row, i, kBlock, mean, factor);
    if (i < t.columns) FinishBlock<true>(t, row, i, t.columns - i, mean, factor);
  }
}

}  // namespace
}  // namespace lowp
