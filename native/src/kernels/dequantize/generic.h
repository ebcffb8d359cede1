// `dequantize` over the vector interface; include simd/vec_avx2.h or simd/vec_avx512.h before this file.
#pragma once
#include "kernels/dequantize/rows.h"

namespace lowp {
namespace {

using namespace simd;

LOWP_INLINE Vec Dequantize(Vec q, Vec zero_point, Vec scale) { return Mul(Sub(q, zero_point), scale); }

// Channel c of the first element.
LOWP_INLINE void Cyclic(const uint8_t* x, float* y, size_t n, size_t c, const DequantizeConstants& k) {
  const size_t advance = kLanes % k.channels;
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    Store(y + i, Dequantize(BytesToFloat(x + i), Load(k.zero_point + c), Load(k.scale + c)));
    c += advance;
    if (c >= k.channels) c -= k.channels;
  }
  if (i == n) return;
  const Vec v = Dequantize(BytesToFloatPart(x + i, n - i), Load(k.zero_point + c), Load(k.scale + c));
  StorePart(y + i, v, n - i);
}

void Dense(const uint8_t* x, float* y, size_t n, size_t first_channel, const DequantizeConstants& k) {
  if (!k.uniform) return Cyclic(x, y, n, first_channel, k);
  const Vec zero_point = Set(k.zero_point[0]), scale = Set(k.scale[0]);
  size_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
#pragma GCC unroll 4
    for (size_t j = 0; j < 4 * kLanes; j += kLanes)
      Store(y + i + j, Dequantize(BytesToFloat(x + i + j), zero_point, scale));
  }
  for (; i + kLanes <= n; i += kLanes) Store(y + i, Dequantize(BytesToFloat(x + i), zero_point, scale));
  if (i < n) StorePart(y + i, Dequantize(BytesToFloatPart(x + i, n - i), zero_point, scale), n - i);
}

void Pixels(const uint8_t* x, float* y, size_t pixels, const DequantizeConstants& k) {
  for (size_t p = 0; p < pixels; p++, x += k.in_stride, y += k.channels) Cyclic(x, y, k.channels, 0, k);
}

// Four neighbouring bytes of n <= kLanes pixels, `stride` bytes apart, as words.
LOWP_INLINE Ints GatherWords(const uint8_t* x, size_t stride, size_t n) {
  if (stride == 4 && n == kLanes) return LoadInts(x);
  alignas(64) uint32_t words[kLanes] = {};
  for (size_t i = 0; i < n; i++) __builtin_memcpy(&words[i], x + i * stride, 4);
  return LoadInts(words);
}

void Planes(const uint8_t* x, float* y, size_t plane, size_t pixels, const DequantizeConstants& k) {
  for (size_t c = 0; c < k.channels; c += 4) {
    const size_t width = k.channels - c < 4 ? k.channels - c : 4;
    Vec scale[4], zero_point[4];
#pragma GCC unroll 4
    for (size_t j = 0; j < 4; j++) {
      scale[j] = Set(k.scale[c + j]);
      zero_point[j] = Set(k.zero_point[c + j]);
    }
    for (size_t p = 0; p < pixels; p += kLanes) {
      const size_t n = pixels - p < kLanes ? pixels - p : kLanes;
      const Ints words = GatherWords(x + p * k.in_stride + c, k.in_stride, n);
#pragma GCC unroll 4
      for (size_t j = 0; j < 4; j++) {
        if (j >= width) break;
        const Ints bytes = And(ShiftRight(words, static_cast<uint32_t>(8 * j)), SetInts(255));
        const Vec v = Dequantize(IntsToFloat(bytes), zero_point[j], scale[j]);
        float* to = y + (c + j) * plane + p;
        if (n == kLanes)
          Store(to, v);
        else
          StorePart(to, v, n);
      }
    }
  }
}

}  // namespace
}  // namespace lowp
