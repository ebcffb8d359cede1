// What the rows of `observe_histogram` do with whole tables, compiled for the instruction set of each.
#pragma once
#include <cstring>

#include "kernels/observe/histogram_rows.h"

namespace lowp {
namespace {

inline void ClearTables(HistogramTable* tables, size_t n) { std::memset(tables, 0, n * sizeof(*tables)); }

// Sums of n tables, a power of two, of which the first are overwritten.
inline void SumTables(HistogramTable* tables, size_t n, uint16_t* __restrict counts) {
  for (; n > 2; n /= 2)
    for (size_t t = 0; t < n / 2; t++)
      for (size_t bin = 0; bin < kHistogramBins; bin++)
        tables[t].counts[bin] = static_cast<uint16_t>(tables[t].counts[bin] + tables[t + n / 2].counts[bin]);
  for (size_t bin = 0; bin < kHistogramBins; bin++)
    counts[bin] = static_cast<uint16_t>(tables[0].counts[bin] + tables[n - 1].counts[bin]);
}

// Most bins are empty, and so are most neighbourhoods of them.
inline void AddCounts(const uint16_t* __restrict counts, int64_t* __restrict totals) {
  constexpr size_t kTogether = 32;
  for (size_t i = 0; i < kHistogramBins; i += kTogether) {
    uint64_t words[kTogether / 4], any = 0;
    std::memcpy(words, counts + i, sizeof words);
    for (const uint64_t word : words) any |= word;
    if (any == 0) continue;
    for (size_t bin = i; bin < i + kTogether; bin++) totals[bin] += counts[bin];
  }
}

}  // namespace
}  // namespace lowp
