// `observe` and `observe_histogram` without vector instructions: the definition of their results.
#include <cmath>
#include <cstring>

#include "kernels/observe/histogram_tables.h"
#include "kernels/observe/rows.h"

namespace lowp {
namespace {

constexpr float kInfinity = __builtin_inff();

// Adds x to the statistics, its value to *sum.
void Take(float x, double* sum, ObservePartial* out) {
  if (!std::isfinite(x)) {
    out->non_finite++;
    return;
  }
  *sum += static_cast<double>(x);
  if (x < out->min) out->min = x;
  if (x > out->max) out->max = x;
}

void Lanes(const float* x, size_t run, size_t count, size_t stride, bool sums, ObservePartial* out) {
  double s[16] = {};
  *out = {0.0, kInfinity, -kInfinity, 0};
  for (size_t r = 0; r < count; r++)
    for (size_t j = 0; j < run; j++) Take(x[r * stride + j], &s[j % 16], out);
  for (size_t half = 8; half > 0; half /= 2)
    for (size_t j = 0; j < half; j++) s[j] += s[j + half];
  if (sums) out->sum = s[0];
}

void Columns(const float* x, size_t rows, size_t stride, size_t channels, bool sums, ObservePartial* out) {
  for (size_t c = 0; c < channels; c++) {
    double sum = 0.0;
    out[c] = {0.0, kInfinity, -kInfinity, 0};
    for (size_t r = 0; r < rows; r++) Take(x[r * stride + c], &sum, &out[c]);
    if (sums) out[c].sum = sum;
  }
}

float Clamped(float x, const ObserveClamp& clamp) {
  const float above = x > clamp.low ? x : clamp.low;
  return above < clamp.high ? above : clamp.high;
}

void LeaveOutBroken(size_t elements, ObservePartial* out, double* y_sum) {
  if (out->non_finite == 0) return;
  *out = {0.0, kInfinity, -kInfinity, elements};
  *y_sum = 0.0;
}

void ClampLanes(const float* x, float* y, const ObserveClamp& clamp, size_t run, size_t count, size_t stride,
                ObservePartial* out, double* y_sum) {
  double s[16] = {};
  Lanes(x, run, count, stride, clamp.sums_x, out);
  for (size_t r = 0; r < count; r++)
    for (size_t j = 0; j < run; j++) {
      const float v = Clamped(x[r * stride + j], clamp);
      y[r * stride + j] = v;
      s[j % 16] += static_cast<double>(v);
    }
  for (size_t half = 8; half > 0; half /= 2)
    for (size_t j = 0; j < half; j++) s[j] += s[j + half];
  *y_sum = s[0];
  LeaveOutBroken(run * count, out, y_sum);
}

void ClampColumns(const float* x, float* y, const ObserveClamp& clamp, size_t rows, size_t stride, size_t channels,
                  ObservePartial* out, double* y_sum) {
  Columns(x, rows, stride, channels, clamp.sums_x, out);
  for (size_t c = 0; c < channels; c++) {
    double sum = 0.0;
    for (size_t r = 0; r < rows; r++) {
      const float v = Clamped(x[r * stride + c], clamp);
      y[r * stride + c] = v;
      sum += static_cast<double>(v);
    }
    y_sum[c] = sum;
    LeaveOutBroken(rows, &out[c], &y_sum[c]);
  }
}

constexpr size_t kTables = 4;

// Two elements a load: loads are what limits this.
void CountRun(const float* x, size_t n, HistogramTable* tables) {
  size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    uint64_t pairs[2];
    std::memcpy(pairs, x + i, sizeof pairs);
#pragma GCC unroll 2
    for (size_t p = 0; p < 2; p++) {
      tables[2 * p].counts[static_cast<uint32_t>(pairs[p]) >> kHistogramShift]++;
      tables[2 * p + 1].counts[pairs[p] >> (32 + kHistogramShift)]++;
    }
  }
  for (; i < n; i++) {
    uint32_t bits;
    std::memcpy(&bits, x + i, sizeof bits);
    tables[0].counts[bits >> kHistogramShift]++;
  }
}

void CountBins(const HistogramRuns& x, HistogramTable* tables, uint16_t* counts) {
  ClearTables(tables, kTables);
  for (size_t r = 0; r < x.count; r++) CountRun(x.first + r * x.stride, x.run, tables);
  SumTables(tables, kTables, counts);
}

}  // namespace

const ObserveRows observe_f32_scalar = {Lanes, Columns, ClampLanes, ClampColumns};
const HistogramRows observe_histogram_scalar = {kTables, CountBins, AddCounts};

}  // namespace lowp
