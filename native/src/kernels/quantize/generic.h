// `quantize` over the vector interface; include simd/vec_avx2.h or simd/vec_avx512.h before this file.
#pragma once
#include "kernels/common/quantize_rows.h"

namespace lowp {
namespace {

using namespace simd;

constexpr size_t kBlock = 4 * kLanes;

LOWP_INLINE Bytes Confine(Bytes q, Bytes low, Bytes high) { return MinBytes(MaxBytes(q, low), high); }

// Scales, shifts and bounds of kBlock consecutive elements.
struct BlockConstants {
  Vec scale[4], shift[4];
  Bytes low, high;
};

// Of channels from c on.
LOWP_INLINE BlockConstants ConstantsFrom(const QuantizeConstants& k, size_t c) {
  BlockConstants out;
#pragma GCC unroll 4
  for (size_t i = 0; i < 4; i++) {
    out.scale[i] = Load(k.inv_scale + c + i * kLanes);
    out.shift[i] = Load(k.shift + c + i * kLanes);
  }
  out.low = LoadBytes(k.low + c);
  out.high = LoadBytes(k.high + c);
  return out;
}

// Of channel 0 in all elements.
LOWP_INLINE BlockConstants UniformConstants(const QuantizeConstants& k) {
  const Vec scale = Set(k.inv_scale[0]), shift = Set(k.shift[0]);
  return {{scale, scale, scale, scale}, {shift, shift, shift, shift}, SetBytes(k.low[0]), SetBytes(k.high[0])};
}

LOWP_INLINE Bytes QuantizeBlock(const float* x, const BlockConstants& b) {
  const Vec v0 = Fma(Load(x), b.scale[0], b.shift[0]);
  const Vec v1 = Fma(Load(x + kLanes), b.scale[1], b.shift[1]);
  const Vec v2 = Fma(Load(x + 2 * kLanes), b.scale[2], b.shift[2]);
  const Vec v3 = Fma(Load(x + 3 * kLanes), b.scale[3], b.shift[3]);
  return Confine(RoundToBytes(v0, v1, v2, v3), b.low, b.high);
}

// n < kBlock elements.
LOWP_INLINE void QuantizePart(const float* x, uint8_t* y, size_t n, const BlockConstants& b) {
  alignas(64) float rest[kBlock] = {};
  for (size_t i = 0; i < n; i += kLanes) {
    const size_t left = n - i;
    Store(rest + i, left >= kLanes ? Load(x + i) : LoadPart(x + i, left));
  }
  StoreBytesPart(y, QuantizeBlock(rest, b), n);
}

// Channel c of the first element.
LOWP_INLINE void Cyclic(const float* x, uint8_t* y, size_t n, size_t c, const QuantizeConstants& k) {
  const size_t advance = kBlock % k.channels;
  size_t i = 0;
  for (; i + kBlock <= n; i += kBlock) {
    StoreBytes(y + i, QuantizeBlock(x + i, ConstantsFrom(k, c)));
    c += advance;
    if (c >= k.channels) c -= k.channels;
  }
  if (i < n) QuantizePart(x + i, y + i, n - i, ConstantsFrom(k, c));
}

void Dense(const float* x, uint8_t* y, size_t n, size_t first_channel, const QuantizeConstants& k) {
  if (!k.uniform) return Cyclic(x, y, n, first_channel, k);
  const BlockConstants b = UniformConstants(k);
  size_t i = 0;
  for (; i + kBlock <= n; i += kBlock) StoreBytes(y + i, QuantizeBlock(x + i, b));
  if (i < n) QuantizePart(x + i, y + i, n - i, b);
}

// Pixels of up to this many channels are quantized together, then spread.
constexpr size_t kStaged = 1024;

// Bytes of neighbouring pixels to pixels out_stride bytes apart, with the padding bytes.
LOWP_INLINE void Spread(const uint8_t* dense, uint8_t* y, size_t pixels, const QuantizeConstants& k) {
  if (k.channels == 3 && k.out_stride == 4) {
    const uint32_t pad = static_cast<uint32_t>(k.pad_value) << 24;
    for (size_t p = 0; p < pixels; p++) {
      uint32_t word;
      __builtin_memcpy(&word, dense + 3 * p, 4);
      word = (word & 0xffffffu) | pad;
      __builtin_memcpy(y + 4 * p, &word, 4);
    }
    return;
  }
  for (size_t p = 0; p < pixels; p++, dense += k.channels, y += k.out_stride) {
    for (size_t c = 0; c < k.channels; c++) y[c] = dense[c];
    for (size_t c = k.channels; c < k.out_stride; c++) y[c] = k.pad_value;
  }
}

void Pixels(const float* x, uint8_t* y, size_t pixels, const QuantizeConstants& k) {
  if (k.channels > kStaged / 4) {
    for (size_t p = 0; p < pixels; p++, x += k.channels, y += k.out_stride) {
      Cyclic(x, y, k.channels, 0, k);
      for (size_t c = k.channels; c < k.out_stride; c++) y[c] = k.pad_value;
    }
    return;
  }
  alignas(64) uint8_t dense[kStaged + 4];
  const size_t group = kStaged / k.channels;
  for (size_t p = 0; p < pixels; p += group) {
    const size_t count = pixels - p < group ? pixels - p : group;
    Dense(x + p * k.channels, dense, count * k.channels, 0, k);
    Spread(dense, y + p * k.out_stride, count, k);
  }
}

// Four neighbouring bytes of kLanes pixels: the codes of kReal channels from c on, then the bytes of `fill`.
template <uint32_t kReal>
LOWP_INLINE void PlaneGroup(const float* x, size_t plane, uint8_t* y, size_t pixels, size_t c, size_t width,
                            uint32_t fill, const QuantizeConstants& k) {
  Vec scale[4], shift[4], low[4], high[4];
#pragma GCC unroll 4
  for (uint32_t j = 0; j < kReal; j++) {
    scale[j] = Set(k.inv_scale[c + j]);
    shift[j] = Set(k.shift[c + j]);
    low[j] = Set(static_cast<float>(k.low[c + j]));
    high[j] = Set(static_cast<float>(k.high[c + j]));
  }
  for (size_t p = 0; p < pixels; p += kLanes) {
    const size_t n = pixels - p < kLanes ? pixels - p : kLanes;
    Ints word = SetInts(fill);
#pragma GCC unroll 4
    for (uint32_t j = 0; j < kReal; j++) {
      const float* from = x + (c + j) * plane + p;
      const Vec v = Fma(n == kLanes ? Load(from) : LoadPart(from, n), scale[j], shift[j]);
      // The bounds are integers: rounding after them is rounding before them, and NaN gives the lower one.
      word = Or(word, ShiftLeft(RoundToInts(Min(Max(v, low[j]), high[j])), 8 * j));
    }
    if (k.out_stride == 4) {
      if (n == kLanes)
        StoreInts(y + p * 4, word);
      else
        StoreIntsPart(y + p * 4, word, n);
      continue;
    }
    alignas(64) uint8_t bytes[4 * kLanes];
    StoreInts(bytes, word);
    uint8_t* to = y + p * k.out_stride + c;
    if (width == 4) {
      for (size_t i = 0; i < n; i++) __builtin_memcpy(to + i * k.out_stride, bytes + 4 * i, 4);
    } else {
      for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < width; j++) to[i * k.out_stride + j] = bytes[4 * i + j];
    }
  }
}

void Planes(const float* x, size_t plane, uint8_t* y, size_t pixels, const QuantizeConstants& k) {
  for (size_t c = 0; c < k.out_stride; c += 4) {
    const size_t width = k.out_stride - c < 4 ? k.out_stride - c : 4;
    const size_t real = c >= k.channels ? 0 : k.channels - c < 4 ? k.channels - c : 4;
    const uint32_t pads = real >= 4 ? 0 : 0x01010101u << (8 * real);
    const uint32_t fill = k.pad_value * pads;
    switch (real) {
      case 0:
        PlaneGroup<0>(x, plane, y, pixels, c, width, fill, k);
        break;
      case 1:
        PlaneGroup<1>(x, plane, y, pixels, c, width, fill, k);
        break;
      case 2:
        PlaneGroup<2>(x, plane, y, pixels, c, width, fill, k);
        break;
      case 3:
        PlaneGroup<3>(x, plane, y, pixels, c, width, fill, k);
        break;
      default:
        PlaneGroup<4>(x, plane, y, pixels, c, width, fill, k);
        break;
    }
  }
}

}  // namespace
}  // namespace lowp
