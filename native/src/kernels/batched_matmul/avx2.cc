// Packing of `batched_matmul` with AVX2, for the gemm rows of 8 and of 16 lanes.
#if defined(__x86_64__)
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/batched_matmul/rows.h"
#include "simd/inline.h"

namespace lowp {
namespace {

LOWP_INLINE __m256i FirstLanes(size_t count) {
  const int n = count < 8 ? static_cast<int>(count) : 8;
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

// Transposes 8 x 8 words of 4 bytes.
LOWP_INLINE void Transpose(__m256 (&r)[8]) {
  const __m256 a0 = _mm256_unpacklo_ps(r[0], r[1]), a1 = _mm256_unpackhi_ps(r[0], r[1]);
  const __m256 a2 = _mm256_unpacklo_ps(r[2], r[3]), a3 = _mm256_unpackhi_ps(r[2], r[3]);
  const __m256 a4 = _mm256_unpacklo_ps(r[4], r[5]), a5 = _mm256_unpackhi_ps(r[4], r[5]);
  const __m256 a6 = _mm256_unpacklo_ps(r[6], r[7]), a7 = _mm256_unpackhi_ps(r[6], r[7]);
  const __m256 b0 = _mm256_shuffle_ps(a0, a2, 0x44), b1 = _mm256_shuffle_ps(a0, a2, 0xEE);
  const __m256 b2 = _mm256_shuffle_ps(a1, a3, 0x44), b3 = _mm256_shuffle_ps(a1, a3, 0xEE);
  const __m256 b4 = _mm256_shuffle_ps(a4, a6, 0x44), b5 = _mm256_shuffle_ps(a4, a6, 0xEE);
  const __m256 b6 = _mm256_shuffle_ps(a5, a7, 0x44), b7 = _mm256_shuffle_ps(a5, a7, 0xEE);
  r[0] = _mm256_permute2f128_ps(b0, b4, 0x20);
  r[1] = _mm256_permute2f128_ps(b1, b5, 0x20);
  r[2] = _mm256_permute2f128_ps(b2, b6, 0x20);
  r[3] = _mm256_permute2f128_ps(b3, b7, 0x20);
  r[4] = _mm256_permute2f128_ps(b0, b4, 0x31);
  r[5] = _mm256_permute2f128_ps(b1, b5, 0x31);
  r[6] = _mm256_permute2f128_ps(b2, b6, 0x31);
  r[7] = _mm256_permute2f128_ps(b3, b7, 0x31);
}

// Rows of b side by side in memory.
void FloatRows(const PackTask& t) {
  const float* b = static_cast<const float*>(t.b);
  float* out = reinterpret_cast<float*>(t.out);
  const size_t width = size_t{t.lanes} * t.vectors;
  const __m256 alpha = _mm256_set1_ps(t.alpha);
  for (size_t j = 0; j < t.k; j++, b += t.stride_k, out += width) {
    size_t c = 0;
    for (; c + 8 <= t.columns; c += 8) _mm256_store_ps(out + c, _mm256_mul_ps(_mm256_loadu_ps(b + c), alpha));
    for (; c < width; c += 8) {
      const __m256i mask = FirstLanes(t.columns > c ? t.columns - c : 0);
      const __m256 v = _mm256_mul_ps(_mm256_maskload_ps(b + c, mask), alpha);
      _mm256_store_ps(out + c, _mm256_and_ps(v, _mm256_castsi256_ps(mask)));
    }
  }
}

// Columns of b side by side in memory: 8 columns x 8 rows at a time.
void FloatColumns(const PackTask& t) {
  const float* b = static_cast<const float*>(t.b);
  float* out = reinterpret_cast<float*>(t.out);
  const size_t width = size_t{t.lanes} * t.vectors;
  const __m256 alpha = _mm256_set1_ps(t.alpha);
  for (size_t c = 0; c < width; c += 8) {
    for (size_t j = 0; j < t.k; j += 8) {
      const size_t rows = t.k - j < 8 ? t.k - j : 8;
      const __m256i mask = FirstLanes(rows);
      __m256 r[8];
      LOWP_UNROLL for (size_t i = 0; i < 8; i++) {
        r[i] = _mm256_setzero_ps();
        if (c + i < t.columns) r[i] = _mm256_mul_ps(_mm256_maskload_ps(b + (c + i) * t.stride_n + j, mask), alpha);
      }
      Transpose(r);
      for (size_t i = 0; i < rows; i++) _mm256_store_ps(out + (j + i) * width + c, r[i]);
    }
  }
}

void Floats(const PackTask& t) {
  if (t.stride_n == 1) return FloatRows(t);
  FloatColumns(t);
}

// One step of 8 columns, as 8 x 4 bytes, from lane `lane` of a vector on.
LOWP_INLINE void StoreStep(const PackTask& t, uint8_t* vector, size_t lane, __m256i step) {
  step = _mm256_xor_si256(step, _mm256_set1_epi8(static_cast<char>(0x80)));
  if (!t.pairs) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(vector + lane * 4), step);
    return;
  }
  const __m256i order = _mm256_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15, 0, 2, 4, 6, 8, 10, 12,
                                         14, 1, 3, 5, 7, 9, 11, 13, 15);
  const __m256i sorted = _mm256_permute4x64_epi64(_mm256_shuffle_epi8(step, order), 0xD8);
  _mm_store_si128(reinterpret_cast<__m128i*>(vector + lane * 2), _mm256_castsi256_si128(sorted));
  _mm_store_si128(reinterpret_cast<__m128i*>(vector + (t.lanes + lane) * 2), _mm256_extracti128_si256(sorted, 1));
}

// Columns [c, c + 8) whose bytes are side by side in memory: 8 steps at a time.
void ByteColumns(const PackTask& t, size_t c) {
  const uint8_t* b = static_cast<const uint8_t*>(t.b);
  const size_t vector_bytes = size_t{t.lanes} * 4, step_bytes = vector_bytes * t.vectors;
  uint8_t* vector = t.out + c / t.lanes * vector_bytes;
  alignas(32) uint8_t staged[8][32];
  for (size_t j = 0; j < t.k; j += 32) {
    const size_t left = t.k - j < 32 ? t.k - j : 32, steps = (left + 3) / 4;
    __m256 r[8];
    LOWP_UNROLL for (size_t i = 0; i < 8; i++) {
      const uint8_t* from = b + (c + i) * t.stride_n + j;
      if (c + i >= t.columns || left < 32) {
        for (size_t e = 0; e < 32; e++) staged[i][e] = c + i < t.columns && e < left ? from[e] : 0x80;
        from = staged[i];
      }
      r[i] = _mm256_castsi256_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
    }
    Transpose(r);
    for (size_t i = 0; i < steps; i++)
      StoreStep(t, vector + (j / 4 + i) * step_bytes, c % t.lanes, _mm256_castps_si256(r[i]));
  }
}

// Columns [c, c + 8) of rows that are side by side in memory: 4 rows at a time.
void ByteRows(const PackTask& t, size_t c) {
  const uint8_t* b = static_cast<const uint8_t*>(t.b) + c;
  const size_t vector_bytes = size_t{t.lanes} * 4, step_bytes = vector_bytes * t.vectors;
  uint8_t* vector = t.out + c / t.lanes * vector_bytes;
  const size_t columns = t.columns > c ? t.columns - c : 0;
  const __m128i none = _mm_set1_epi8(static_cast<char>(0x80));
  for (size_t j = 0; j < t.k; j += 4, vector += step_bytes) {
    __m128i r[4];
    LOWP_UNROLL for (size_t i = 0; i < 4; i++) {
      const uint8_t* from = b + (j + i) * t.stride_k;
      r[i] = none;
      if (j + i < t.k && columns >= 8) {
        r[i] = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
      } else if (j + i < t.k) {
        uint64_t word = 0x8080808080808080u;
        __builtin_memcpy(&word, from, columns);
        r[i] = _mm_cvtsi64_si128(static_cast<long long>(word));
      }
    }
    const __m128i low = _mm_unpacklo_epi8(r[0], r[1]), high = _mm_unpacklo_epi8(r[2], r[3]);
    StoreStep(t, vector, c % t.lanes, _mm256_set_m128i(_mm_unpackhi_epi16(low, high), _mm_unpacklo_epi16(low, high)));
  }
}

void Bytes(const PackTask& t) {
  const size_t width = size_t{t.lanes} * t.vectors;
  for (size_t c = 0; c < width; c += 8) {
    if (t.stride_n == 1) {
      ByteRows(t, c);
    } else {
      ByteColumns(t, c);
    }
  }
}

int32_t Sum(const uint8_t* a, size_t k) {
  __m256i sum = _mm256_setzero_si256();
  size_t j = 0;
  for (; j + 32 <= k; j += 32) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + j));
    sum = _mm256_add_epi64(sum, _mm256_sad_epu8(bytes, _mm256_setzero_si256()));
  }
  const __m128i half = _mm_add_epi64(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
  int32_t total = static_cast<int32_t>(_mm_cvtsi128_si64(half) + _mm_extract_epi64(half, 1));
  for (; j < k; j++) total += a[j];
  return total;
}

}  // namespace

const PackRows batched_pack_avx2 = {Floats, Bytes, Sum};

}  // namespace lowp
#endif
