// The epilogue (epilogue.h) on 8 lanes of AVX2 and on whole register tiles. For ISA files only.
//
// Stages work on vectors in any channel order, so that a kernel whose lanes are permuted can use them with permuted
// arrays; FinishTile is for lanes in channel order.
#pragma once
#include <immintrin.h>

#include "kernels/common/epilogue.h"
#include "kernels/common/tile_store.h"
#include "simd/lanes.h"

namespace lowp {
namespace {

LOWP_INLINE __m256 EpilogueScale(__m256i acc, __m256 scale, __m256 bias) {
  return _mm256_fmadd_ps(_mm256_cvtepi32_ps(acc), scale, bias);
}

LOWP_INLINE __m256 EpilogueMid(const Epilogue& e, __m256 v) {
  v = _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  v = _mm256_min_ps(_mm256_max_ps(v, _mm256_set1_ps(e.mid_low)), _mm256_set1_ps(e.mid_high));
  return _mm256_fmadd_ps(v, _mm256_set1_ps(e.mid_scale), _mm256_set1_ps(e.mid_bias));
}

LOWP_INLINE __m256 EpilogueAddF32(const Epilogue& e, __m256 v, __m256 residual) {
  return _mm256_fmadd_ps(residual, _mm256_set1_ps(e.residual_scale), v);
}

// The residual in the low 8 bytes.
LOWP_INLINE __m256 EpilogueAddU8(const Epilogue& e, __m256 v, __m128i residual) {
  return EpilogueAddF32(e, v, _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(residual)));
}

LOWP_INLINE __m256 EpilogueClampF32(const Epilogue& e, __m256 v) {
  return _mm256_min_ps(_mm256_max_ps(v, _mm256_set1_ps(e.low)), _mm256_set1_ps(e.high));
}

// Keeps NaN, which the conversion turns into a negative number and packus into 0.
LOWP_INLINE __m256 EpilogueLimit(__m256 v) { return _mm256_min_ps(_mm256_set1_ps(255.0f), v); }

LOWP_INLINE __m256i EpilogueRound(__m256 v) { return _mm256_cvtps_epi32(v); }

// Saturates 4 x 8 s32 to u8. The bytes come in the order that unpacklo/unpackhi of bytes and then of words undo:
// per 128-bit lane 4 elements of q0, 4 of q1, 4 of q2, 4 of q3.
LOWP_INLINE __m256i EpiloguePackInLanes(__m256i q0, __m256i q1, __m256i q2, __m256i q3) {
  return _mm256_packus_epi16(_mm256_packs_epi32(q0, q1), _mm256_packs_epi32(q2, q3));
}

// Saturates 2 x 8 s32 to 16 u8 in order.
LOWP_INLINE __m128i EpiloguePack(__m256i q0, __m256i q1) {
  const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(q0, q1), 0xD8);
  return _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}

LOWP_INLINE __m256i FirstLanes(size_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

template <int kRows, int kVectors>
LOWP_INLINE void AddResidualTile(const Epilogue& e, __m256 (&v)[kRows][kVectors], const TileStore& t) {
  if (e.residual == ResidualKind::kU8) {
    LOWP_UNROLL for (int i = 0; i < kRows; i++) {
      LOWP_UNROLL for (int j = 0; j < kVectors; j++) {
        const void* p = t.residual + i * t.residual_stride + j * 8;
        v[i][j] = EpilogueAddU8(e, v[i][j], _mm_loadl_epi64(static_cast<const __m128i*>(p)));
      }
    }
  } else {
    LOWP_UNROLL for (int i = 0; i < kRows; i++) {
      LOWP_UNROLL for (int j = 0; j < kVectors; j++) {
        const void* p = t.residual + i * t.residual_stride + j * 32;
        v[i][j] = EpilogueAddF32(e, v[i][j], _mm256_loadu_ps(static_cast<const float*>(p)));
      }
    }
  }
}

// All is clamped in front of the first store, which may be to anything.
template <int kRows, int kVectors>
LOWP_INLINE void StoreF32Tile(const Epilogue& e, __m256 (&v)[kRows][kVectors], const TileStore& t) {
  LOWP_UNROLL for (int i = 0; i < kRows; i++) {
    LOWP_UNROLL for (int j = 0; j < kVectors; j++) v[i][j] = EpilogueClampF32(e, v[i][j]);
  }
  uint8_t* y = t.y;
  const size_t stride = t.y_stride;
  if (t.columns == kVectors * 8) {
    LOWP_UNROLL for (int i = 0; i < kRows; i++, y += stride) {
      LOWP_UNROLL for (int j = 0; j < kVectors; j++) _mm256_storeu_ps(reinterpret_cast<float*>(y) + j * 8, v[i][j]);
    }
    return;
  }
  const __m256i last = FirstLanes(t.columns - (kVectors - 1) * 8);
  LOWP_UNROLL for (int i = 0; i < kRows; i++, y += stride) {
    LOWP_UNROLL for (int j = 0; j < kVectors; j++) {
      float* p = reinterpret_cast<float*>(y) + j * 8;
      if (j + 1 < kVectors) {
        _mm256_storeu_ps(p, v[i][j]);
      } else {
        _mm256_maskstore_ps(p, last, v[i][j]);
      }
    }
  }
}

template <int kRows, int kVectors>
LOWP_INLINE void StoreU8Tile(const Epilogue& e, __m256 (&v)[kRows][kVectors], const TileStore& t) {
  if (e.limit) {
    LOWP_UNROLL for (int i = 0; i < kRows; i++) {
      LOWP_UNROLL for (int j = 0; j < kVectors; j++) v[i][j] = EpilogueLimit(v[i][j]);
    }
  }
  const bool bounded = e.bound_low != nullptr;
  LOWP_UNROLL for (int i = 0; i < kRows; i++) {
    LOWP_UNROLL for (int j = 0; j < kVectors; j += 2) {
      const __m256i q0 = EpilogueRound(v[i][j]);
      const __m256i q1 = j + 1 < kVectors ? EpilogueRound(v[i][j + 1 < kVectors ? j + 1 : 0]) : _mm256_setzero_si256();
      __m128i bytes = EpiloguePack(q0, q1);
      if (bounded) {
        bytes = _mm_max_epu8(bytes, _mm_loadu_si128(reinterpret_cast<const __m128i*>(e.bound_low + t.n + j * 8)));
        bytes = _mm_min_epu8(bytes, _mm_loadu_si128(reinterpret_cast<const __m128i*>(e.bound_high + t.n + j * 8)));
      }
      StoreBytes(t.y + i * t.y_stride + j * 8, bytes, t.columns - j * 8);
    }
  }
}

// Everything after the scaling, for vectors in channel order.
template <int kRows, int kVectors>
LOWP_INLINE void FinishTile(const Epilogue& e, __m256 (&v)[kRows][kVectors], const TileStore& t) {
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
