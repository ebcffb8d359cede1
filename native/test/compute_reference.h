// Test data and the plain formula of the compute kernels' epilogue, written apart from the kernels.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "kernel_harness.h"

namespace lowp::test {

// What follows the sum of products. Float bounds are infinite unless set.
struct PostOps {
  bool bias = true;
  bool mid = false;
  float mid_scale = 0.0f, mid_bias = 0.0f, mid_low = 0.0f, mid_high = 0.0f;
  char residual = 0;  // 'u' u8, 'f' f32
  float residual_scale = 0.0f;
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
  bool bounds = false;
  float scale = 0.01f;  // typical magnitude of the channel scales
};

// How large the weights are: all of s8; at most 64, which vpmaddubsw can take; only a corner; the least that
// vpmaddubsw cannot take.
// kBell: normal, the largest at 127. kAlternating: 127 and -128 in turns. kEveryWay: weights 4 i to 4 i + 3 are safe in
// pairs 01 23, 02 13, 03 12 or none, by i modulo 5 (StepWay).
enum class Weights { kFull, kSafe, kLow, kHigh, kLeastUnsafe, kBell, kAlternating, kEveryWay };

// Constants and residual of one call, absent where the call has none.
struct PostOperands {
  Buffer bias, scale, residual, bounds;
};

template <class Random>
std::vector<float> RandomFloats(Random& random, size_t count, float low, float high) {
  std::uniform_real_distribution<float> values(low, high);
  std::vector<float> out(count);
  for (float& v : out) v = values(random);
  return out;
}

template <class Random>
std::vector<uint8_t> RandomBytes(Random& random, size_t count, int low = 0, int high = 255) {
  std::uniform_int_distribution<int> values(low, high);
  std::vector<uint8_t> out(count);
  for (uint8_t& v : out) v = static_cast<uint8_t>(values(random));
  return out;
}

template <class Random>
std::vector<int8_t> BellWeights(Random& random, size_t count) {
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  float largest = 1e-6f;
  for (float& v : values) v = normal(random), largest = std::max(largest, std::abs(v));
  std::vector<int8_t> out(count);
  for (size_t i = 0; i < count; i++) out[i] = static_cast<int8_t>(std::lround(values[i] / largest * 127.0f));
  return out;
}

template <class Random>
std::vector<int8_t> EveryWayWeights(Random& random, size_t count) {
  static constexpr int8_t kQuads[5][4] = {
      {60, 68, -64, -64}, {127, -128, -128, 127}, {127, 127, -128, -128}, {127, 50, 50, -1}, {127, 127, 127, 127}};
  std::vector<int8_t> out(count);
  bool flip = false;
  for (size_t i = 0; i < count; i++) {
    if (i % 4 == 0) flip = random() % 2 == 0;
    const int8_t w = kQuads[i / 4 % 5][i % 4];
    out[i] = flip ? static_cast<int8_t>(-1 - w) : w;
  }
  return out;
}

template <class Random>
Buffer RandomWeights(Random& random, bool integer, Weights kind, size_t count) {
  if (!integer) return Buffer::F32(RandomFloats(random, count, -1.0f, 1.0f));
  const int low = kind == Weights::kHigh ? 127 : kind == Weights::kSafe ? -64 : -128;
  const int high = kind == Weights::kLow ? -128 : kind == Weights::kSafe ? 64 : 127;
  if (kind == Weights::kLeastUnsafe) {
    std::vector<int8_t> values(count, 64);
    for (size_t i = 1; i < count; i += 2) values[i] = 65;
    return Buffer::I8(values);
  }
  if (kind == Weights::kBell) return Buffer::I8(BellWeights(random, count));
  if (kind == Weights::kEveryWay) return Buffer::I8(EveryWayWeights(random, count));
  if (kind == Weights::kAlternating) {
    std::vector<int8_t> values(count, 127);
    for (size_t i = 1; i < count; i += 2) values[i] = -128;
    return Buffer::I8(values);
  }
  const std::vector<uint8_t> bytes = RandomBytes(random, count, low, high);
  return Buffer::I8(std::vector<int8_t>(bytes.begin(), bytes.end()));
}

template <class Random>
PostOperands RandomPostOperands(Random& random, const PostOps& ops, bool integer, size_t pixels, size_t channels) {
  PostOperands o;
  if (ops.bias) o.bias = Buffer::F32(RandomFloats(random, channels, -20.0f, 140.0f));
  if (integer) o.scale = Buffer::F32(RandomFloats(random, channels, -ops.scale, ops.scale));
  if (ops.residual == 'u') o.residual = Buffer::U8(RandomBytes(random, pixels * channels));
  if (ops.residual == 'f') o.residual = Buffer::F32(RandomFloats(random, pixels * channels, -300.0f, 300.0f));
  if (ops.bounds) {
    std::vector<uint8_t> lows = RandomBytes(random, channels, 0, 120), highs = RandomBytes(random, channels, 121, 255);
    lows.insert(lows.end(), highs.begin(), highs.end());
    o.bounds = Buffer::U8(lows);
  }
  return o;
}

template <class P>
void SetPostParams(const PostOps& ops, P* p) {
  p->mid = ops.mid ? 1 : 0;
  p->mid_scale = ops.mid_scale;
  p->mid_bias = ops.mid_bias;
  p->mid_low = ops.mid_low;
  p->mid_high = ops.mid_high;
  p->residual_scale = ops.residual_scale;
  p->low = ops.low;
  p->high = ops.high;
}

// Value of channel n before the output conversion; `sum` is the exact integer or the float chain.
inline float ReferenceValue(const PostOps& ops, const PostOperands& o, bool integer, double sum, size_t pixel, size_t n,
                            size_t channels) {
  const float bias = ops.bias ? o.bias.as<float>()[n] : 0.0f;
  float v = static_cast<float>(sum);
  if (integer) {
    v = std::fma(v, o.scale.as<float>()[n], bias);
  } else if (ops.bias) {
    v = v + bias;
  }
  if (ops.mid) {
    v = std::rint(v);
    v = v > ops.mid_low ? v : ops.mid_low;
    v = v < ops.mid_high ? v : ops.mid_high;
    v = std::fma(v, ops.mid_scale, ops.mid_bias);
  }
  const size_t at = pixel * channels + n;
  if (ops.residual == 'u') v = std::fma(static_cast<float>(o.residual.as<uint8_t>()[at]), ops.residual_scale, v);
  if (ops.residual == 'f') v = std::fma(o.residual.as<float>()[at], ops.residual_scale, v);
  return v;
}

// Writes channel n of the pixel whose channels start at element `first` of y.
inline void ReferenceStore(const PostOps& ops, const PostOperands& o, float v, size_t n, size_t channels, size_t first,
                           bool u8, Buffer* y) {
  if (!u8) {
    v = v > ops.low ? v : ops.low;
    y->as<float>()[first + n] = v < ops.high ? v : ops.high;
    return;
  }
  int q = std::isnan(v) ? 0 : static_cast<int>(std::rint(std::fmin(std::fmax(v, 0.0f), 255.0f)));
  if (ops.bounds) {
    q = std::max<int>(q, o.bounds.as<uint8_t>()[n]);
    q = std::min<int>(q, o.bounds.as<uint8_t>()[channels + n]);
  }
  y->as<uint8_t>()[first + n] = static_cast<uint8_t>(q);
}

// Fills an output with a pattern that shows which elements were written.
inline void FillPattern(Buffer* y) {
  for (size_t i = 0; i < y->bytes(); i++) y->data()[i] = static_cast<uint8_t>(0x5A + i % 7);
}

// Index of the first element whose bits differ, or -1.
inline int64_t FirstDifference(const Buffer& a, const Buffer& b, size_t element) {
  for (size_t i = 0; i < a.bytes(); i++)
    if (a.data()[i] != b.data()[i]) return static_cast<int64_t>(i / element);
  return -1;
}

}  // namespace lowp::test
