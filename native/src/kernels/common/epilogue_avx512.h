// The epilogue (epilogue.h) on 16 lanes of AVX-512 and on whole register tiles. For ISA files only.
//
// Stages work on vectors in any channel order, so that a kernel whose lanes are permuted can use them with permuted
// arrays; FinishTile is for lanes in channel order.
#pragma once
// gcc 12 takes its own _mm512_undefined_ps() for a mistake of ours.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

#include "kernels/common/epilogue.h"
#include "kernels/common/tile_store.h"
#include "simd/inline.h"

namespace lowp {
namespace {

LOWP_INLINE __m512 EpilogueScale(__m512i acc, __m512 scale, __m512 bias) {
  return _mm512_fmadd_ps(_mm512_cvtepi32_ps(acc), scale, bias);
}

LOWP_INLINE __m512 EpilogueMid(const Epilogue& e, __m512 v) {
  v = _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  v = _mm512_min_ps(_mm512_max_ps(v, _mm512_set1_ps(e.mid_low)), _mm512_set1_ps(e.mid_high));
  return _mm512_fmadd_ps(v, _mm512_set1_ps(e.mid_scale), _mm512_set1_ps(e.mid_bias));
}

LOWP_INLINE __m512 EpilogueAddF32(const Epilogue& e, __m512 v, __m512 residual) {
  return _mm512_fmadd_ps(residual, _mm512_set1_ps(e.residual_scale), v);
}

// The residual as 16 bytes.
LOWP_INLINE __m512 EpilogueAddU8(const Epilogue& e, __m512 v, __m128i residual) {
  return EpilogueAddF32(e, v, _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(residual)));
}

LOWP_INLINE __m512 EpilogueClampF32(const Epilogue& e, __m512 v) {
  return _mm512_min_ps(_mm512_max_ps(v, _mm512_set1_ps(e.low)), _mm512_set1_ps(e.high));
}

// Keeps NaN, which the conversion turns into a negative number and packus into 0.
LOWP_INLINE __m512 EpilogueLimit(__m512 v) { return _mm512_min_ps(_mm512_set1_ps(255.0f), v); }

LOWP_INLINE __m512i EpilogueRound(__m512 v) { return _mm512_cvtps_epi32(v); }

// Saturates 4 x 16 s32 to u8. The bytes come in the order that unpacklo/unpackhi of bytes and then of words undo:
// per 128-bit lane 4 elements of q0, 4 of q1, 4 of q2, 4 of q3.
LOWP_INLINE __m512i EpiloguePackInLanes(__m512i q0, __m512i q1, __m512i q2, __m512i q3) {
  return _mm512_packus_epi16(_mm512_packs_epi32(q0, q1), _mm512_packs_epi32(q2, q3));
}

// Saturates 4 x 16 s32 to 64 u8 in order.
LOWP_INLINE __m512i EpiloguePack(__m512i q0, __m512i q1, __m512i q2, __m512i q3) {
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_permutexvar_epi32(order, EpiloguePackInLanes(q0, q1, q2, q3));
}

LOWP_INLINE __mmask64 FirstBytes(size_t count) { return count >= 64 ? ~0ull : (1ull << count) - 1; }
LOWP_INLINE __mmask16 FirstLanes(size_t count) {
  return static_cast<__mmask16>(count >= 16 ? 0xFFFF : (1u << count) - 1);
}

template <int kRows, int kVectors>
LOWP_INLINE void AddResidualTile(const Epilogue& e, __m512 (&v)[kRows][kVectors], const TileStore& t) {
  if (e.residual == ResidualKind::kU8) {
    LOWP_UNROLL for (int i = 0; i < kRows; i++) {
      LOWP_UNROLL for (int j = 0; j < kVectors; j++) {
        const void* p = t.residual + i * t.residual_stride + j * 16;
        v[i][j] = EpilogueAddU8(e, v[i][j], _mm_loadu_si128(static_cast<const __m128i*>(p)));
      }
    }
  } else {
    LOWP_UNROLL for (int i = 0; i < kRows; i++) {
      LOWP_UNROLL for (int j = 0; j < kVectors; j++)
        v[i][j] = EpilogueAddF32(e, v[i][j], _mm512_loadu_ps(t.residual + i * t.residual_stride + j * 64));
    }
  }
}

// All is clamped in front of the first store, which may be to anything.
template <int kRows, int kVectors>
LOWP_INLINE void StoreF32Tile(const Epilogue& e, __m512 (&v)[kRows][kVectors], const TileStore& t) {
  LOWP_UNROLL for (int i = 0; i < kRows; i++) {
    LOWP_UNROLL for (int j = 0; j < kVectors; j++) v[i][j] = EpilogueClampF32(e, v[i][j]);
  }
  uint8_t* y = t.y;
  const size_t stride = t.y_stride;
  if (t.columns == kVectors * 16) {
    LOWP_UNROLL for (int i = 0; i < kRows; i++, y += stride) {
      LOWP_UNROLL for (int j = 0; j < kVectors; j++) _mm512_storeu_ps(y + j * 64, v[i][j]);
    }
    return;
  }
  const __mmask16 last = FirstLanes(t.columns - (kVectors - 1) * 16);
  LOWP_UNROLL for (int i = 0; i < kRows; i++, y += stride) {
    LOWP_UNROLL for (int j = 0; j < kVectors; j++)
      _mm512_mask_storeu_ps(y + j * 64, j + 1 < kVectors ? 0xFFFF : last, v[i][j]);
  }
}

// Part `part` of bytes to y: kVectors vectors' worth, or what the mask has of them.
template <int kVectors>
LOWP_INLINE void StorePart(uint8_t* y, __m512i bytes, int part, bool full, __mmask64 mask) {
  if constexpr (kVectors == 1) {
    const __m128i row = _mm512_extracti32x4_epi32(bytes, part);
    if (full) return _mm_storeu_si128(reinterpret_cast<__m128i*>(y), row);
    _mm_mask_storeu_epi8(y, static_cast<__mmask16>(mask), row);
  } else if constexpr (kVectors == 2) {
    const __m256i row = _mm512_extracti64x4_epi64(bytes, part);
    if (full) return _mm256_storeu_si256(reinterpret_cast<__m256i*>(y), row);
    _mm256_mask_storeu_epi8(y, static_cast<__mmask32>(mask), row);
  } else {
    if (!full) return _mm512_mask_storeu_epi8(y, mask, bytes);
    if (kVectors == 4) return _mm512_storeu_si512(y, bytes);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y), _mm512_castsi512_si256(bytes));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(y + 32), _mm512_extracti32x4_epi32(bytes, 2));
  }
}

// The bounds of as many rows as are packed together.
template <int kVectors>
LOWP_INLINE __m512i LoadBounds(const uint8_t* bounds) {
  const __m512i all = _mm512_loadu_si512(bounds);
  if constexpr (kVectors == 1) return _mm512_broadcast_i32x4(_mm512_castsi512_si128(all));
  if constexpr (kVectors == 2) return _mm512_broadcast_i64x4(_mm512_castsi512_si256(all));
  return all;
}

// Vectors are packed to bytes four at a time: those of a row, or of four or two rows of one or two vectors.
template <int kRows, int kVectors>
LOWP_INLINE void StoreU8Tile(const Epilogue& e, __m512 (&v)[kRows][kVectors], const TileStore& t) {
  constexpr int kTogether = kVectors > 2 ? 1 : 4 / kVectors;
  const bool full = t.columns == kVectors * 16;
  const bool dense = kTogether > 1 && full && t.y_stride == kVectors * 16;
  const __mmask64 mask = FirstBytes(t.columns);
  if (e.limit) {
    LOWP_UNROLL for (int i = 0; i < kRows; i++) {
      LOWP_UNROLL for (int j = 0; j < kVectors; j++) v[i][j] = EpilogueLimit(v[i][j]);
    }
  }
  const bool bounded = e.bound_low != nullptr;
  LOWP_UNROLL for (int i = 0; i < kRows; i += kTogether) {
    __m512i q[4];
    LOWP_UNROLL for (int j = 0; j < 4; j++) {
      const int row = i + j / kVectors, vector = j % kVectors;
      const bool exists = j / kVectors < kTogether && row < kRows;
      q[j] = exists ? EpilogueRound(v[exists ? row : 0][vector]) : _mm512_setzero_si512();
    }
    __m512i bytes = EpiloguePack(q[0], q[1], q[2], q[3]);
    if (bounded) {
      bytes = _mm512_max_epu8(bytes, LoadBounds<kVectors>(e.bound_low + t.n));
      bytes = _mm512_min_epu8(bytes, LoadBounds<kVectors>(e.bound_high + t.n));
    }
    if (dense && i + kTogether <= kRows) {
      _mm512_storeu_si512(t.y + i * t.y_stride, bytes);
      continue;
    }
    LOWP_UNROLL for (int part = 0; part < kTogether; part++) {
      if (i + part < kRows) StorePart<kVectors>(t.y + (i + part) * t.y_stride, bytes, part, full, mask);
    }
  }
}

// Everything after the scaling, for up to 64 columns (u8) in channel order.
template <int kRows, int kVectors>
LOWP_INLINE void FinishTile(const Epilogue& e, __m512 (&v)[kRows][kVectors], const TileStore& t) {
  static_assert(kVectors >= 1 && kVectors <= 4, "a store is at most 64 bytes");
  if (e.mid) {
    LOWP_UNROLL for (int i = 0; i < kRows; i++) {
      LOWP_UNROLL for (int j = 0; j < kVectors; j++) v[i][j] = EpilogueMid(e, v[i][j]);
    }
  }
  if (e.residual != ResidualKind::kNone) AddResidualTile(e, v, t);
  if (e.u8_output) {
    StoreU8Tile(e, v, t);
  } else {
    StoreF32Tile(e, v, t);
  }
}

}  // namespace
}  // namespace lowp
