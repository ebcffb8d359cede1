// `quantized_add` over the vector interface; include simd/vec_avx2.h or simd/vec_avx512.h before this file.
#pragma once
#include "kernels/quantized_add/rows.h"

namespace lowp {
namespace {

using namespace simd;

struct SumConstants {
  Vec scale_a, scale_b, bias;
};

LOWP_INLINE Vec Sum(Vec a, Vec b, const SumConstants& s) { return Fma(a, s.scale_a, Fma(b, s.scale_b, s.bias)); }

// 4 * kLanes sums as codes.
LOWP_INLINE Bytes SumBlock(const uint8_t* a, const uint8_t* b, const SumConstants& s, Bytes low, Bytes high) {
  const Vec v0 = Sum(BytesToFloat(a), BytesToFloat(b), s);
  const Vec v1 = Sum(BytesToFloat(a + kLanes), BytesToFloat(b + kLanes), s);
  const Vec v2 = Sum(BytesToFloat(a + 2 * kLanes), BytesToFloat(b + 2 * kLanes), s);
  const Vec v3 = Sum(BytesToFloat(a + 3 * kLanes), BytesToFloat(b + 3 * kLanes), s);
  return MinBytes(MaxBytes(RoundToBytes(v0, v1, v2, v3), low), high);
}

void ToU8(const uint8_t* a, const uint8_t* b, uint8_t* y, size_t n, const QuantizedAddConstants& k) {
  constexpr size_t kBlock = 4 * kLanes;
  const SumConstants s = {Set(k.scale_a), Set(k.scale_b), Set(k.bias)};
  const Bytes low = SetBytes(k.low), high = SetBytes(k.high);
  size_t i = 0;
  for (; i + kBlock <= n; i += kBlock) StoreBytes(y + i, SumBlock(a + i, b + i, s, low, high));
  if (i == n) return;
  uint8_t rest_a[kBlock], rest_b[kBlock];
  StoreBytes(rest_a, LoadBytesPart(a + i, n - i));
  StoreBytes(rest_b, LoadBytesPart(b + i, n - i));
  StoreBytesPart(y + i, SumBlock(rest_a, rest_b, s, low, high), n - i);
}

void ToF32(const uint8_t* a, const uint8_t* b, float* y, size_t n, const QuantizedAddConstants& k) {
  const SumConstants s = {Set(k.scale_a), Set(k.scale_b), Set(k.bias)};
  const Vec low = Set(k.float_low), high = Set(k.float_high);
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    Store(y + i, Min(Max(Sum(BytesToFloat(a + i), BytesToFloat(b + i), s), low), high));
  if (i == n) return;
  const Vec v = Sum(BytesToFloatPart(a + i, n - i), BytesToFloatPart(b + i, n - i), s);
  StorePart(y + i, Min(Max(v, low), high), n - i);
}

}  // namespace
}  // namespace lowp
