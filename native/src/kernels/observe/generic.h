// `observe` over the vector interface; include simd/vec_avx2.h or simd/vec_avx512.h before this file.
//
// Finite floats cannot overflow a double sum, so a sum that is not finite means that a non-finite element was there:
// only then the chunk is read again by the scalar row, which sorts them out.
#pragma once
#include "kernels/observe/rows.h"

namespace lowp {
namespace {

using namespace simd;

LOWP_INLINE bool IsFinite(double v) { return v - v == 0.0; }

// The sum of a vector's worth of numbers, or, where none is wanted, what is finite as long as they are: zero times each.
template <bool kSums>
struct RunningSum;

template <>
struct RunningSum<true> {
  Wide sum;
  LOWP_INLINE void Clear() { sum = ZeroWide(); }
  LOWP_INLINE void Take(Vec v) { sum = AddWide(sum, v); }
  LOWP_INLINE Wide Get() const { return sum; }
};

template <>
struct RunningSum<false> {
  Vec zero;
  LOWP_INLINE void Clear() { zero = Set(0.0f); }
  LOWP_INLINE void Take(Vec v) { zero = Fma(v, Set(0.0f), zero); }
  LOWP_INLINE Wide Get() const { return AddWide(ZeroWide(), zero); }
};

// Statistics of sixteen lanes.
template <bool kSums>
struct LaneStatistics {
  RunningSum<kSums> sum[kParts];
  Vec min[kParts], max[kParts];

  LOWP_INLINE void Clear() {
#pragma GCC unroll 2
    for (size_t part = 0; part < kParts; part++) {
      sum[part].Clear();
      min[part] = Set(__builtin_inff());
      max[part] = Set(-__builtin_inff());
    }
  }
  LOWP_INLINE void Take(const float* x) {
#pragma GCC unroll 2
    for (size_t part = 0; part < kParts; part++) {
      const Vec v = Load(x + part * kLanes);
      sum[part].Take(v);
      min[part] = Min(v, min[part]);
      max[part] = Max(v, max[part]);
    }
  }
  // n < 16 elements.
  LOWP_INLINE void TakePart(const float* x, size_t n) {
#pragma GCC unroll 2
    for (size_t part = 0; part < kParts; part++) {
      const size_t count = n < kLanes ? n : kLanes;
      const Vec v = LoadPart(x + part * kLanes, count);
      sum[part].Take(v);
      min[part] = Min(KeepFirst(v, count, min[part]), min[part]);
      max[part] = Max(KeepFirst(v, count, max[part]), max[part]);
      n -= count;
      if (n == 0) return;
    }
  }
  LOWP_INLINE double Sum() const {
    Wide sums[kParts];
#pragma GCC unroll 2
    for (size_t part = 0; part < kParts; part++) sums[part] = sum[part].Get();
    return TreeSum(sums);
  }
  LOWP_INLINE ObservePartial Partial(double total) const {
    return {total, HorizontalMin(Min(min[0], min[kParts - 1])), HorizontalMax(Max(max[0], max[kParts - 1])), 0};
  }
};

template <bool kSums>
LOWP_INLINE void LanesAs(const float* x, size_t run, size_t count, size_t stride, ObservePartial* out) {
  LaneStatistics<kSums> s;
  s.Clear();
  for (size_t r = 0; r < count; r++) {
    const float* p = x + r * stride;
    size_t j = 0;
    for (; j + 16 <= run; j += 16) s.Take(p + j);
    if (j < run) s.TakePart(p + j, run - j);
  }
  const double sum = s.Sum();
  if (!IsFinite(sum)) return observe_f32_scalar.lanes(x, run, count, stride, kSums, out);
  *out = s.Partial(sum);
}

void Lanes(const float* x, size_t run, size_t count, size_t stride, bool sums, ObservePartial* out) {
  if (sums)
    LanesAs<true>(x, run, count, stride, out);
  else
    LanesAs<false>(x, run, count, stride, out);
}

// kVectors vectors of channels; the last one has n channels, n <= kLanes.
template <bool kSums, size_t kVectors>
LOWP_INLINE void Strip(const float* x, size_t rows, size_t stride, size_t n, ObservePartial* out) {
  RunningSum<kSums> sum[kVectors];
  Vec min[kVectors], max[kVectors];
#pragma GCC unroll 4
  for (size_t v = 0; v < kVectors; v++) {
    sum[v].Clear();
    min[v] = Set(__builtin_inff());
    max[v] = Set(-__builtin_inff());
  }
  for (size_t r = 0; r < rows; r++) {
#pragma GCC unroll 4
    for (size_t v = 0; v < kVectors; v++) {
      const float* from = x + r * stride + v * kLanes;
      const Vec value = v + 1 < kVectors ? Load(from) : LoadPart(from, n);
      sum[v].Take(value);
      min[v] = Min(value, min[v]);
      max[v] = Max(value, max[v]);
    }
  }
  double sums[kVectors * kLanes];
  float mins[kVectors * kLanes], maxs[kVectors * kLanes];
#pragma GCC unroll 4
  for (size_t v = 0; v < kVectors; v++) {
    StoreWide(sums + v * kLanes, sum[v].Get());
    Store(mins + v * kLanes, min[v]);
    Store(maxs + v * kLanes, max[v]);
  }
  for (size_t c = 0; c < (kVectors - 1) * kLanes + n; c++) {
    if (IsFinite(sums[c]))
      out[c] = {sums[c], mins[c], maxs[c], 0};
    else
      observe_f32_scalar.columns(x + c, rows, stride, 1, kSums, out + c);
  }
}

// As many vectors as there are registers for.
constexpr size_t kStripVectors = kLanes == 16 ? 4 : 2;

template <bool kSums>
LOWP_INLINE void ColumnsAs(const float* x, size_t rows, size_t stride, size_t channels, ObservePartial* out) {
  for (size_t c = 0; c < channels;) {
    const size_t left = channels - c;
    const size_t vectors = (left + kLanes - 1) / kLanes < kStripVectors ? (left + kLanes - 1) / kLanes : kStripVectors;
    const size_t last = left - (vectors - 1) * kLanes < kLanes ? left - (vectors - 1) * kLanes : kLanes;
    if (vectors == 1)
      Strip<kSums, 1>(x + c, rows, stride, last, out + c);
    else if (vectors == 2)
      Strip<kSums, 2>(x + c, rows, stride, last, out + c);
    else if (vectors == 3)
      Strip<kSums, 3>(x + c, rows, stride, last, out + c);
    else
      Strip<kSums, 4>(x + c, rows, stride, last, out + c);
    c += (vectors - 1) * kLanes + last;
  }
}

void Columns(const float* x, size_t rows, size_t stride, size_t channels, bool sums, ObservePartial* out) {
  if (sums)
    ColumnsAs<true>(x, rows, stride, channels, out);
  else
    ColumnsAs<false>(x, rows, stride, channels, out);
}

LOWP_INLINE Vec Clamped(Vec x, Vec low, Vec high) { return Min(Max(x, low), high); }

// The partial of a chunk with an element that is not finite.
LOWP_INLINE ObservePartial Broken(size_t elements) { return {0.0, __builtin_inff(), -__builtin_inff(), elements}; }

template <bool kSumsX>
LOWP_INLINE void ClampLanesAs(const float* x, float* y, const ObserveClamp& clamp, size_t run, size_t count,
                              size_t stride, ObservePartial* out, double* y_sum) {
  const Vec low = Set(clamp.low), high = Set(clamp.high);
  LaneStatistics<kSumsX> s;
  s.Clear();
  Wide sums[kParts];
#pragma GCC unroll 2
  for (size_t part = 0; part < kParts; part++) sums[part] = ZeroWide();
  for (size_t r = 0; r < count; r++) {
    const float* p = x + r * stride;
    float* q = y + r * stride;
    size_t j = 0;
    for (; j + 16 <= run; j += 16) {
      s.Take(p + j);
#pragma GCC unroll 2
      for (size_t part = 0; part < kParts; part++) {
        const Vec v = Clamped(Load(p + j + part * kLanes), low, high);
        sums[part] = AddWide(sums[part], v);
        Store(q + j + part * kLanes, v);
      }
    }
    if (j == run) continue;
    s.TakePart(p + j, run - j);
#pragma GCC unroll 2
    for (size_t part = 0; part < kParts; part++) {
      const size_t done = j + part * kLanes;
      if (done >= run) break;
      const size_t n = run - done < kLanes ? run - done : kLanes;
      const Vec v = Clamped(LoadPart(p + done, n), low, high);
      sums[part] = AddWide(sums[part], KeepFirst(v, n, Set(0.0f)));
      StorePart(q + done, v, n);
    }
  }
  const double sum = s.Sum(), clamped = TreeSum(sums);
  if (IsFinite(sum)) {
    *out = s.Partial(sum);
    *y_sum = clamped;
  } else {
    *out = Broken(run * count);
    *y_sum = 0.0;
  }
}

void ClampLanes(const float* x, float* y, const ObserveClamp& clamp, size_t run, size_t count, size_t stride,
                ObservePartial* out, double* y_sum) {
  if (clamp.sums_x)
    ClampLanesAs<true>(x, y, clamp, run, count, stride, out, y_sum);
  else
    ClampLanesAs<false>(x, y, clamp, run, count, stride, out, y_sum);
}

// As Strip(), of kVectors vectors of which the last has n channels.
template <bool kSumsX, size_t kVectors>
LOWP_INLINE void ClampStrip(const float* x, float* y, const ObserveClamp& clamp, size_t rows, size_t stride, size_t n,
                            ObservePartial* out, double* y_sum) {
  const Vec low = Set(clamp.low), high = Set(clamp.high);
  RunningSum<kSumsX> sum[kVectors];
  Wide clamped[kVectors];
  Vec min[kVectors], max[kVectors];
#pragma GCC unroll 4
  for (size_t v = 0; v < kVectors; v++) {
    sum[v].Clear();
    clamped[v] = ZeroWide();
    min[v] = Set(__builtin_inff());
    max[v] = Set(-__builtin_inff());
  }
  for (size_t r = 0; r < rows; r++) {
#pragma GCC unroll 4
    for (size_t v = 0; v < kVectors; v++) {
      const size_t at = r * stride + v * kLanes;
      const bool whole = v + 1 < kVectors || n == kLanes;
      const Vec value = whole ? Load(x + at) : LoadPart(x + at, n);
      const Vec stored = Clamped(value, low, high);
      sum[v].Take(value);
      clamped[v] = AddWide(clamped[v], stored);
      min[v] = Min(value, min[v]);
      max[v] = Max(value, max[v]);
      if (whole)
        Store(y + at, stored);
      else
        StorePart(y + at, stored, n);
    }
  }
  double sums[kVectors * kLanes], clamped_sums[kVectors * kLanes];
  float mins[kVectors * kLanes], maxs[kVectors * kLanes];
#pragma GCC unroll 4
  for (size_t v = 0; v < kVectors; v++) {
    StoreWide(sums + v * kLanes, sum[v].Get());
    StoreWide(clamped_sums + v * kLanes, clamped[v]);
    Store(mins + v * kLanes, min[v]);
    Store(maxs + v * kLanes, max[v]);
  }
  for (size_t c = 0; c < (kVectors - 1) * kLanes + n; c++) {
    const bool finite = IsFinite(sums[c]);
    out[c] = finite ? ObservePartial{sums[c], mins[c], maxs[c], 0} : Broken(rows);
    y_sum[c] = finite ? clamped_sums[c] : 0.0;
  }
}

template <bool kSumsX>
LOWP_INLINE void ClampColumnsAs(const float* x, float* y, const ObserveClamp& clamp, size_t rows, size_t stride,
                                size_t channels, ObservePartial* out, double* y_sum) {
  constexpr size_t kMost = kLanes == 16 ? 2 : 1;
  for (size_t c = 0; c < channels;) {
    const size_t left = channels - c;
    const size_t vectors = left > kLanes && kMost > 1 ? 2 : 1;
    const size_t rest = left - (vectors - 1) * kLanes, last = rest < kLanes ? rest : kLanes;
    if (vectors == 1)
      ClampStrip<kSumsX, 1>(x + c, y + c, clamp, rows, stride, last, out + c, y_sum + c);
    else
      ClampStrip<kSumsX, 2>(x + c, y + c, clamp, rows, stride, last, out + c, y_sum + c);
    c += (vectors - 1) * kLanes + last;
  }
}

void ClampColumns(const float* x, float* y, const ObserveClamp& clamp, size_t rows, size_t stride, size_t channels,
                  ObservePartial* out, double* y_sum) {
  if (clamp.sums_x)
    ClampColumnsAs<true>(x, y, clamp, rows, stride, channels, out, y_sum);
  else
    ClampColumnsAs<false>(x, y, clamp, rows, stride, channels, out, y_sum);
}

}  // namespace
}  // namespace lowp
