// `observe` and `observe_histogram` with AVX-512.
#if defined(__x86_64__)
#include "simd/vec_avx512.h"

#include "kernels/observe/generic.h"
#include "kernels/observe/histogram_tables.h"

namespace lowp {
namespace {

// Without the zeros, equal neighbours are so rare that more tables would cost more than they save.
constexpr size_t kTables = 2;

void CountEach(const uint32_t* bins, size_t n, HistogramTable* tables) {
  size_t i = 0;
  for (; i + 4 <= n; i += 4) {
#pragma GCC unroll 4
    for (size_t j = 0; j < 4; j++) tables[j % kTables].counts[bins[i + j]]++;
  }
  for (; i < n; i++) tables[0].counts[bins[i]]++;
}

// Elements of bin 0, half of all behind a ReLU, are left out of what is counted one by one.
void CountBins(const HistogramRuns& x, HistogramTable* tables, uint16_t* counts) {
  constexpr size_t kRoom = 512;
  uint32_t bins[kRoom + 16];
  ClearTables(tables, kTables);
  size_t waiting = 0, others = 0;
  for (size_t r = 0; r < x.count; r++) {
    const float* run = x.first + r * x.stride;
    for (size_t i = 0; i < x.run; i += 16) {
      const size_t count = x.run - i < 16 ? x.run - i : 16;
      const __m512i bits = _mm512_maskz_loadu_epi32(FirstLanes(count), run + i);
      const __m512i bin = _mm512_srli_epi32(bits, kHistogramShift);
      const __mmask16 other = _mm512_test_epi32_mask(bin, bin);
      _mm512_storeu_si512(bins + waiting, _mm512_maskz_compress_epi32(other, bin));
      waiting += static_cast<size_t>(__builtin_popcount(other));
      if (waiting < kRoom) continue;
      CountEach(bins, waiting, tables);
      others += waiting;
      waiting = 0;
    }
  }
  CountEach(bins, waiting, tables);
  tables[0].counts[0] = static_cast<uint16_t>(x.count * x.run - others - waiting);
  SumTables(tables, kTables, counts);
}

}  // namespace

const ObserveRows observe_f32_avx512_64 = {Lanes, Columns, ClampLanes, ClampColumns};
const HistogramRows observe_histogram_avx512_16 = {kTables, CountBins, AddCounts};

}  // namespace lowp
#endif
