// Transposes of bytes and of 4-byte elements in registers.
#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels/copy/block.h"
#include "simd/inline.h"

namespace lowp {
namespace {

LOWP_INLINE const uint8_t* At(const CopyBlock& block, size_t a, size_t b) {
  return block.x + static_cast<ptrdiff_t>(a) * block.in_a + static_cast<ptrdiff_t>(b) * block.in_b;
}

LOWP_INLINE uint8_t* To(const CopyBlock& block, size_t a, size_t b) {
  return block.y + static_cast<ptrdiff_t>(a) * block.out_a + static_cast<ptrdiff_t>(b) * block.out_b;
}

LOWP_INLINE __m128i Load16(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
LOWP_INLINE __m256i Load32(const uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
LOWP_INLINE void Store16(uint8_t* p, __m128i v) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v); }
LOWP_INLINE void Store32(uint8_t* p, __m256i v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }

// The first `bytes` (1..15) of v.
LOWP_INLINE void StorePart(uint8_t* p, __m128i v, size_t bytes) {
  uint64_t rest = static_cast<uint64_t>(_mm_cvtsi128_si64(v));
  if (bytes & 8) {
    __builtin_memcpy(p, &rest, 8);
    rest = static_cast<uint64_t>(_mm_extract_epi64(v, 1));
    p += 8;
  }
  if (bytes & 4) {
    __builtin_memcpy(p, &rest, 4);
    rest >>= 32;
    p += 4;
  }
  if (bytes & 2) {
    __builtin_memcpy(p, &rest, 2);
    rest >>= 16;
    p += 2;
  }
  if (bytes & 1) *p = static_cast<uint8_t>(rest);
}

// One step of a transpose: interleaves the lower and upper halves of rows i and i + 8 at 1 to 8 bytes' width. Four
// steps turn rows b of bytes a into rows a of bytes b, for each 128-bit lane.
LOWP_INLINE void InterleaveRows(__m256i (&v)[16]) {
  __m256i t[16];
  LOWP_UNROLL for (int i = 0; i < 8; i++) {
    t[2 * i] = _mm256_unpacklo_epi8(v[i], v[i + 8]);
    t[2 * i + 1] = _mm256_unpackhi_epi8(v[i], v[i + 8]);
  }
  LOWP_UNROLL for (int i = 0; i < 16; i++) { v[i] = t[i]; }
}

// nb rows (1..16) of 32 bytes of x into `na` rows (1..32) of nb bytes of y.
LOWP_INLINE void Transpose32x16(const CopyBlock& block, size_t a, size_t b, size_t na, size_t nb) {
  __m256i v[16];
  LOWP_UNROLL for (size_t i = 0; i < 16; i++) { v[i] = i < nb ? Load32(At(block, a, b + i)) : _mm256_setzero_si256(); }
  LOWP_UNROLL for (int step = 0; step < 4; step++) { InterleaveRows(v); }
  if (na == 32 && nb == 16) {
    LOWP_UNROLL for (size_t i = 0; i < 16; i++) {
      Store16(To(block, a + i, b), _mm256_castsi256_si128(v[i]));
      Store16(To(block, a + 16 + i, b), _mm256_extracti128_si256(v[i], 1));
    }
    return;
  }
  if (nb == 16) {
    LOWP_UNROLL for (size_t i = 0; i < 16; i++) {
      if (i < na) Store16(To(block, a + i, b), _mm256_castsi256_si128(v[i]));
    }
    LOWP_UNROLL for (size_t i = 0; i < 16; i++) {
      if (i + 16 < na) Store16(To(block, a + 16 + i, b), _mm256_extracti128_si256(v[i], 1));
    }
    return;
  }
  alignas(32) uint8_t square[16][32];
  LOWP_UNROLL for (size_t i = 0; i < 16; i++) { Store32(square[i], v[i]); }
  for (size_t i = 0; i < na; i++) StorePart(To(block, a + i, b), Load16(square[i % 16] + i / 16 * 16), nb);
}

// The block in squares of kA x kB, whole cache lines of y at once. Squares at the end overlap their neighbours, where
// there are enough; smaller ones are left to `transpose`.
template <size_t kA, size_t kB, size_t kSize, class Transpose>
LOWP_INLINE void ForSquares(const CopyBlock& block, size_t first_a, const Transpose& transpose) {
  constexpr size_t kLine = 64 / kSize;
  for (size_t line = 0; line < block.nb; line += kLine) {
    const size_t line_end = block.nb - line < kLine ? block.nb : line + kLine;
    for (size_t a = first_a; a < block.na; a += kA) {
      const size_t at = a + kA > block.na && block.na >= kA ? block.na - kA : a;
      for (size_t b = line; b < line_end; b += kB) {
        const size_t bt = b + kB > block.nb && block.nb >= kB ? block.nb - kB : b;
        transpose(at, bt, block.na - at < kA ? block.na - at : kA, block.nb - bt < kB ? block.nb - bt : kB);
      }
    }
  }
}

// Three planes of bytes into triples; returns how many of the na triples are done.
LOWP_INLINE size_t TripleBytes(const CopyBlock& block) {
  constexpr char kNo = -1;
  const __m128i r0 = _mm_setr_epi8(0, kNo, kNo, 1, kNo, kNo, 2, kNo, kNo, 3, kNo, kNo, 4, kNo, kNo, 5);
  const __m128i g0 = _mm_setr_epi8(kNo, 0, kNo, kNo, 1, kNo, kNo, 2, kNo, kNo, 3, kNo, kNo, 4, kNo, kNo);
  const __m128i b0 = _mm_setr_epi8(kNo, kNo, 0, kNo, kNo, 1, kNo, kNo, 2, kNo, kNo, 3, kNo, kNo, 4, kNo);
  const __m128i r1 = _mm_setr_epi8(kNo, kNo, 6, kNo, kNo, 7, kNo, kNo, 8, kNo, kNo, 9, kNo, kNo, 10, kNo);
  const __m128i g1 = _mm_setr_epi8(5, kNo, kNo, 6, kNo, kNo, 7, kNo, kNo, 8, kNo, kNo, 9, kNo, kNo, 10);
  const __m128i b1 = _mm_setr_epi8(kNo, 5, kNo, kNo, 6, kNo, kNo, 7, kNo, kNo, 8, kNo, kNo, 9, kNo, kNo);
  const __m128i r2 = _mm_setr_epi8(kNo, 11, kNo, kNo, 12, kNo, kNo, 13, kNo, kNo, 14, kNo, kNo, 15, kNo, kNo);
  const __m128i g2 = _mm_setr_epi8(kNo, kNo, 11, kNo, kNo, 12, kNo, kNo, 13, kNo, kNo, 14, kNo, kNo, 15, kNo);
  const __m128i b2 = _mm_setr_epi8(10, kNo, kNo, 11, kNo, kNo, 12, kNo, kNo, 13, kNo, kNo, 14, kNo, kNo, 15);
  size_t a = 0;
  for (; a + 16 <= block.na; a += 16) {
    const __m128i r = Load16(At(block, a, 0)), g = Load16(At(block, a, 1)), b = Load16(At(block, a, 2));
    uint8_t* y = To(block, a, 0);
    Store16(y, _mm_or_si128(_mm_or_si128(_mm_shuffle_epi8(r, r0), _mm_shuffle_epi8(g, g0)), _mm_shuffle_epi8(b, b0)));
    Store16(y + 16,
            _mm_or_si128(_mm_or_si128(_mm_shuffle_epi8(r, r1), _mm_shuffle_epi8(g, g1)), _mm_shuffle_epi8(b, b1)));
    Store16(y + 32,
            _mm_or_si128(_mm_or_si128(_mm_shuffle_epi8(r, r2), _mm_shuffle_epi8(g, g2)), _mm_shuffle_epi8(b, b2)));
  }
  return a;
}

// Four planes of bytes into quads; returns how many of the na quads are done.
LOWP_INLINE size_t QuadBytes(const CopyBlock& block) {
  size_t a = 0;
  for (; a + 16 <= block.na; a += 16) {
    const __m128i p0 = Load16(At(block, a, 0)), p1 = Load16(At(block, a, 1)), p2 = Load16(At(block, a, 2)),
                  p3 = Load16(At(block, a, 3));
    const __m128i low01 = _mm_unpacklo_epi8(p0, p1), high01 = _mm_unpackhi_epi8(p0, p1);
    const __m128i low23 = _mm_unpacklo_epi8(p2, p3), high23 = _mm_unpackhi_epi8(p2, p3);
    uint8_t* y = To(block, a, 0);
    Store16(y, _mm_unpacklo_epi16(low01, low23));
    Store16(y + 16, _mm_unpackhi_epi16(low01, low23));
    Store16(y + 32, _mm_unpacklo_epi16(high01, high23));
    Store16(y + 48, _mm_unpackhi_epi16(high01, high23));
  }
  return a;
}

void TransposeBytes(const CopyBlock& block) {
  size_t done = 0;
  if (block.nb == 3 && block.out_a == 3) done = TripleBytes(block);
  if (block.nb == 4 && block.out_a == 4) done = QuadBytes(block);
  ForSquares<32, 16, 1>(
      block, done, [&](size_t a, size_t b, size_t na, size_t nb) __attribute__((always_inline)) {
        Transpose32x16(block, a, b, na, nb);
      });
}

// 8 rows of 8 four-byte elements.
LOWP_INLINE void TransposeSquare(__m256i (&v)[8]) {
  __m256i t[8];
  LOWP_UNROLL for (int i = 0; i < 4; i++) {
    t[i] = _mm256_unpacklo_epi32(v[2 * i], v[2 * i + 1]);
    t[i + 4] = _mm256_unpackhi_epi32(v[2 * i], v[2 * i + 1]);
  }
  __m256i s[8];
  LOWP_UNROLL for (int i = 0; i < 2; i++) {
    s[4 * i] = _mm256_unpacklo_epi64(t[2 * i], t[2 * i + 1]);
    s[4 * i + 1] = _mm256_unpackhi_epi64(t[2 * i], t[2 * i + 1]);
    s[4 * i + 2] = _mm256_unpacklo_epi64(t[2 * i + 4], t[2 * i + 5]);
    s[4 * i + 3] = _mm256_unpackhi_epi64(t[2 * i + 4], t[2 * i + 5]);
  }
  LOWP_UNROLL for (int i = 0; i < 4; i++) {
    v[i] = _mm256_permute2x128_si256(s[i], s[i + 4], 0x20);
    v[i + 4] = _mm256_permute2x128_si256(s[i], s[i + 4], 0x31);
  }
}

// nb rows (1..8) of 8 elements of x into `na` rows (1..8) of nb elements of y.
LOWP_INLINE void Transpose8x8(const CopyBlock& block, size_t a, size_t b, size_t na, size_t nb) {
  __m256i v[8];
  LOWP_UNROLL for (size_t i = 0; i < 8; i++) { v[i] = i < nb ? Load32(At(block, a, b + i)) : _mm256_setzero_si256(); }
  TransposeSquare(v);
  LOWP_UNROLL for (size_t i = 0; i < 8; i++) {
    if (i >= na) break;
    uint8_t* y = To(block, a + i, b);
    if (nb == 8) {
      Store32(y, v[i]);
    } else if (nb == 4) {
      Store16(y, _mm256_castsi256_si128(v[i]));
    } else if (nb > 4) {
      Store16(y, _mm256_castsi256_si128(v[i]));
      StorePart(y + 16, _mm256_extracti128_si256(v[i], 1), (nb - 4) * 4);
    } else {
      StorePart(y, _mm256_castsi256_si128(v[i]), nb * 4);
    }
  }
}

// Three planes of 4-byte elements into triples; returns how many of the na triples are done.
LOWP_INLINE size_t TripleWords(const CopyBlock& block) {
  const __m256i r0 = _mm256_setr_epi32(0, 0, 0, 1, 0, 0, 2, 0), g0 = _mm256_setr_epi32(0, 0, 0, 0, 1, 0, 0, 2),
                b0 = _mm256_setr_epi32(0, 0, 0, 0, 0, 1, 0, 0);
  const __m256i r1 = _mm256_setr_epi32(0, 3, 0, 0, 4, 0, 0, 5), g1 = _mm256_setr_epi32(0, 0, 3, 0, 0, 4, 0, 0),
                b1 = _mm256_setr_epi32(2, 0, 0, 3, 0, 0, 4, 0);
  const __m256i r2 = _mm256_setr_epi32(0, 0, 6, 0, 0, 7, 0, 0), g2 = _mm256_setr_epi32(5, 0, 0, 6, 0, 0, 7, 0),
                b2 = _mm256_setr_epi32(0, 5, 0, 0, 6, 0, 0, 7);
  size_t a = 0;
  for (; a + 8 <= block.na; a += 8) {
    const __m256i r = Load32(At(block, a, 0)), g = Load32(At(block, a, 1)), b = Load32(At(block, a, 2));
    uint8_t* y = To(block, a, 0);
    __m256i v = _mm256_blend_epi32(_mm256_permutevar8x32_epi32(r, r0), _mm256_permutevar8x32_epi32(g, g0), 0x92);
    Store32(y, _mm256_blend_epi32(v, _mm256_permutevar8x32_epi32(b, b0), 0x24));
    v = _mm256_blend_epi32(_mm256_permutevar8x32_epi32(r, r1), _mm256_permutevar8x32_epi32(g, g1), 0x24);
    Store32(y + 32, _mm256_blend_epi32(v, _mm256_permutevar8x32_epi32(b, b1), 0x49));
    v = _mm256_blend_epi32(_mm256_permutevar8x32_epi32(r, r2), _mm256_permutevar8x32_epi32(g, g2), 0x49);
    Store32(y + 64, _mm256_blend_epi32(v, _mm256_permutevar8x32_epi32(b, b2), 0x92));
  }
  return a;
}

void TransposeWords(const CopyBlock& block) {
  size_t done = 0;
  if (block.nb == 3 && block.out_a == 12) done = TripleWords(block);
  ForSquares<8, 8, 4>(
      block, done, [&](size_t a, size_t b, size_t na, size_t nb) __attribute__((always_inline)) {
        Transpose8x8(block, a, b, na, nb);
      });
}

}  // namespace

extern const CopyRow copy_transpose_x8_avx2_32x16 = {"copy_transpose_x8_avx2_32x16", Isa::kAvx2, CopyShape::kTranspose,
                                                     1, 32, TransposeBytes};
extern const CopyRow copy_transpose_x32_avx2_8x8 = {"copy_transpose_x32_avx2_8x8", Isa::kAvx2, CopyShape::kTranspose, 4,
                                                    8, TransposeWords};

}  // namespace lowp
#endif
