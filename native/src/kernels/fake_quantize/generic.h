// `fake_quantize` over the vector interface; include a simd/vec_*.h before this file.
#pragma once
#include "kernels/fake_quantize/rows.h"

namespace lowp {
namespace {

using namespace simd;

struct Limits {
  Vec low, high, input_low, input_range, output_low, output_high, output_range;
};

// The limits of one channel in all lanes.
LOWP_INLINE Limits LimitsOf(const FakeQuantizeConstants& k, size_t c) {
  return {Set(k.low[c]),        Set(k.high[c]),        Set(k.input_low[c]),   Set(k.input_range[c]),
          Set(k.output_low[c]), Set(k.output_high[c]), Set(k.output_range[c])};
}

// The limits of consecutive channels from c on.
LOWP_INLINE Limits LimitsFrom(const FakeQuantizeConstants& k, size_t c) {
  return {Load(k.low + c),        Load(k.high + c),        Load(k.input_low + c),   Load(k.input_range + c),
          Load(k.output_low + c), Load(k.output_high + c), Load(k.output_range + c)};
}

LOWP_INLINE Vec FakeQuantize(Vec x, const Limits& l, Vec steps) {
  const Vec level = RoundEven(Mul(Div(Sub(x, l.input_low), l.input_range), steps));
  const Vec inside = Add(Mul(Div(level, steps), l.output_range), l.output_low);
  const Vec upper = Select(Less(l.high, x), l.output_high, inside);
  return Select(LessOrEqual(x, l.low), l.output_low, upper);
}

void Uniform(const float* x, float* y, size_t n, size_t channel, const FakeQuantizeConstants& k) {
  const Limits limits = LimitsOf(k, channel);
  const Vec steps = Set(k.steps);
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Store(y + i, FakeQuantize(Load(x + i), limits, steps));
  if (i < n) StorePart(y + i, FakeQuantize(LoadPart(x + i, n - i), limits, steps), n - i);
}

void Cyclic(const float* x, float* y, size_t n, size_t first_channel, const FakeQuantizeConstants& k) {
  const Vec steps = Set(k.steps);
  const size_t advance = kLanes % k.channels;
  size_t i = 0, c = first_channel;
  for (; i + kLanes <= n; i += kLanes) {
    Store(y + i, FakeQuantize(Load(x + i), LimitsFrom(k, c), steps));
    c += advance;
    if (c >= k.channels) c -= k.channels;
  }
  if (i < n) StorePart(y + i, FakeQuantize(LoadPart(x + i, n - i), LimitsFrom(k, c), steps), n - i);
}

}  // namespace
}  // namespace lowp
