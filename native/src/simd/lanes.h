// Vectors as types, Ymm (8 lanes) and Zmm (16), where vec_scalar.h, vec_avx2.h and vec_avx512.h name the one width of
// the file that includes them. For ISA files only.
//
// Use vec_*.h for element-wise kernels: one source for all instruction sets, scalar included, and parts of vectors at
// the end of an array. Use this for kernels over channels whose templates take the width as an argument, because one
// AVX-512 file runs wide blocks in Zmm and the rest in Ymm, and which work on bytes, words and integers in registers.
//
// "Unpacked order" of 4 (2) registers: what unpacklo/unpackhi make of one register of bytes (one of words). Element i
// of 128-bit lane l of register j belongs to channel 16 * l + 4 * j + i (8 * l + 4 * j + i).
#pragma once
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "simd/inline.h"

namespace lowp {
namespace {

// The first `count` bytes, count > 0; more than the vector has means all.
LOWP_INLINE void StoreBytes(uint8_t* y, __m128i v, size_t count) {
#if defined(__AVX512BW__)
  _mm_mask_storeu_epi8(y, count >= 16 ? 0xFFFF : static_cast<__mmask16>((1u << count) - 1), v);
#else
  if (count >= 16) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(y), v);
    return;
  }
  if (count & 8) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(y), v);
    v = _mm_srli_si128(v, 8);
    y += 8;
  }
  uint64_t rest = static_cast<uint64_t>(_mm_cvtsi128_si64(v));
  for (count &= 7; count > 0; count--, rest >>= 8) *y++ = static_cast<uint8_t>(rest);
#endif
}

LOWP_INLINE void StoreBytes(uint8_t* y, __m256i v, size_t count) {
#if defined(__AVX512BW__)
  _mm256_mask_storeu_epi8(y, count >= 32 ? ~0u : (1u << count) - 1, v);
#else
  if (count >= 32) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y), v);
    return;
  }
  StoreBytes(y, _mm256_castsi256_si128(v), count);
  if (count > 16) StoreBytes(y + 16, _mm256_extracti128_si256(v, 1), count - 16);
#endif
}

// The first `count` floats, count > 0; more than 4 means all.
LOWP_INLINE void StoreFloats(float* y, __m128 v, size_t count) {
  if (count >= 4) {
    _mm_storeu_ps(y, v);
    return;
  }
  float all[4];
  _mm_storeu_ps(all, v);
  for (size_t i = 0; i < count; i++) y[i] = all[i];
}

LOWP_INLINE __m128i MaxBytes(__m128i a, __m128i b) { return _mm_max_epu8(a, b); }
LOWP_INLINE __m128i MinBytes(__m128i a, __m128i b) { return _mm_min_epu8(a, b); }
LOWP_INLINE __m256i MaxBytes(__m256i a, __m256i b) { return _mm256_max_epu8(a, b); }
LOWP_INLINE __m256i MinBytes(__m256i a, __m256i b) { return _mm256_min_epu8(a, b); }
LOWP_INLINE void LoadBytes(const uint8_t* p, __m128i* v) { *v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
LOWP_INLINE void LoadBytes(const uint8_t* p, __m256i* v) {
  *v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}

struct Ymm {
  using Int = __m256i;
  using Float = __m256;
  using Half = __m128i;
  static constexpr size_t kLanes = 8;

  static LOWP_INLINE Int Zero() { return _mm256_setzero_si256(); }
  static LOWP_INLINE Int Load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
  static LOWP_INLINE Half LoadHalf(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
  static LOWP_INLINE Int WidenBytes(Half v) { return _mm256_cvtepu8_epi16(v); }
  static LOWP_INLINE Int UnpackLowBytes(Int a, Int b) { return _mm256_unpacklo_epi8(a, b); }
  static LOWP_INLINE Int UnpackHighBytes(Int a, Int b) { return _mm256_unpackhi_epi8(a, b); }
  static LOWP_INLINE Int UnpackLowWords(Int a, Int b) { return _mm256_unpacklo_epi16(a, b); }
  static LOWP_INLINE Int UnpackHighWords(Int a, Int b) { return _mm256_unpackhi_epi16(a, b); }
  // acc + a0 * b0 + a1 * b1 for pairs of s16.
  static LOWP_INLINE Int AddPairs(Int acc, Int a, Int b) { return _mm256_add_epi32(acc, _mm256_madd_epi16(a, b)); }

  static LOWP_INLINE Int AddWords(Int a, Int b) { return _mm256_add_epi16(a, b); }
  static LOWP_INLINE Int SubWords(Int a, Int b) { return _mm256_sub_epi16(a, b); }
  static LOWP_INLINE Int AddInts(Int a, Int b) { return _mm256_add_epi32(a, b); }
  static LOWP_INLINE Int SubInts(Int a, Int b) { return _mm256_sub_epi32(a, b); }
  template <int kBits>
  static LOWP_INLINE Int ShiftRightInts(Int v) {
    return _mm256_srai_epi32(v, kBits);
  }
  static LOWP_INLINE void Store(void* p, Int v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }
  static LOWP_INLINE Int SetInt(int32_t v) { return _mm256_set1_epi32(v); }

  static LOWP_INLINE Float ZeroFloat() { return _mm256_setzero_ps(); }
  static LOWP_INLINE Float LoadFloat(const float* p) { return _mm256_loadu_ps(p); }
  static LOWP_INLINE Float Set(float v) { return _mm256_set1_ps(v); }
  static LOWP_INLINE Float Add(Float a, Float b) { return _mm256_add_ps(a, b); }
  static LOWP_INLINE Float Div(Float a, Float b) { return _mm256_div_ps(a, b); }
  static LOWP_INLINE Float Fma(Float a, Float b, Float c) { return _mm256_fmadd_ps(a, b, c); }
  static LOWP_INLINE Float Max(Float a, Float b) { return _mm256_max_ps(a, b); }
  static LOWP_INLINE Float Min(Float a, Float b) { return _mm256_min_ps(a, b); }
  static LOWP_INLINE Float RoundFloat(Float v) {
    return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  static LOWP_INLINE Float ToFloat(Int v) { return _mm256_cvtepi32_ps(v); }
  static LOWP_INLINE Int ToInt(Float v) { return _mm256_cvtps_epi32(v); }
  static LOWP_INLINE Float LoadBytesAsFloat(const uint8_t* p) {
    return ToFloat(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
  }
  // 4 floats from each of p, p + step.
  static LOWP_INLINE Float LoadLanes(const float* p, size_t step) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(p + step), 1);
  }
  template <int kLane>
  static LOWP_INLINE __m128 Lane(Float v) {
    return _mm256_extractf128_ps(v, kLane);
  }
  // From unpacked order to bytes in the order of the channels, saturated to u8.
  static LOWP_INLINE Int Pack(const Int (&v)[4]) {
    return _mm256_packus_epi16(_mm256_packs_epi32(v[0], v[1]), _mm256_packs_epi32(v[2], v[3]));
  }
  static LOWP_INLINE Half Pack(const Int (&v)[2]) {
    const __m256i words = _mm256_packs_epi32(v[0], v[1]);
    return _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  }
  static LOWP_INLINE void StoreFloat(float* y, Float v) { _mm256_storeu_ps(y, v); }
  static LOWP_INLINE void StoreFirst(float* y, Float v, size_t count) {
    if (count >= 8) {
      _mm256_storeu_ps(y, v);
    } else {
      const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
      _mm256_maskstore_ps(y, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lanes), v);
    }
  }
};

#if defined(__AVX512BW__)

LOWP_INLINE void StoreBytes(uint8_t* y, __m512i v, size_t count) {
  if (count >= 64) {
    _mm512_storeu_si512(y, v);
  } else {
    _mm512_mask_storeu_epi8(y, (1ull << count) - 1, v);
  }
}

LOWP_INLINE __m512i MaxBytes(__m512i a, __m512i b) { return _mm512_max_epu8(a, b); }
LOWP_INLINE __m512i MinBytes(__m512i a, __m512i b) { return _mm512_min_epu8(a, b); }
LOWP_INLINE void LoadBytes(const uint8_t* p, __m512i* v) { *v = _mm512_loadu_si512(p); }

struct Zmm {
  using Int = __m512i;
  using Float = __m512;
  using Half = __m256i;
  static constexpr size_t kLanes = 16;

  static LOWP_INLINE Int Zero() { return _mm512_setzero_si512(); }
  static LOWP_INLINE Int Load(const void* p) { return _mm512_loadu_si512(p); }
  static LOWP_INLINE Half LoadHalf(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
  static LOWP_INLINE Int WidenBytes(Half v) { return _mm512_cvtepu8_epi16(v); }
  static LOWP_INLINE Int UnpackLowBytes(Int a, Int b) { return _mm512_unpacklo_epi8(a, b); }
  static LOWP_INLINE Int UnpackHighBytes(Int a, Int b) { return _mm512_unpackhi_epi8(a, b); }
  static LOWP_INLINE Int UnpackLowWords(Int a, Int b) { return _mm512_unpacklo_epi16(a, b); }
  static LOWP_INLINE Int UnpackHighWords(Int a, Int b) { return _mm512_unpackhi_epi16(a, b); }
  static LOWP_INLINE Int AddPairs(Int acc, Int a, Int b) { return _mm512_add_epi32(acc, _mm512_madd_epi16(a, b)); }
  static LOWP_INLINE Int AddWords(Int a, Int b) { return _mm512_add_epi16(a, b); }
  static LOWP_INLINE Int SubWords(Int a, Int b) { return _mm512_sub_epi16(a, b); }
  static LOWP_INLINE Int AddInts(Int a, Int b) { return _mm512_add_epi32(a, b); }
  static LOWP_INLINE Int SubInts(Int a, Int b) { return _mm512_sub_epi32(a, b); }
  template <int kBits>
  static LOWP_INLINE Int ShiftRightInts(Int v) {
    return _mm512_srai_epi32(v, kBits);
  }
  static LOWP_INLINE void Store(void* p, Int v) { _mm512_storeu_si512(p, v); }
  static LOWP_INLINE Int SetInt(int32_t v) { return _mm512_set1_epi32(v); }

  static LOWP_INLINE Float ZeroFloat() { return _mm512_setzero_ps(); }
  static LOWP_INLINE Float LoadFloat(const float* p) { return _mm512_loadu_ps(p); }
  static LOWP_INLINE Float Set(float v) { return _mm512_set1_ps(v); }
  static LOWP_INLINE Float Add(Float a, Float b) { return _mm512_add_ps(a, b); }
  static LOWP_INLINE Float Div(Float a, Float b) { return _mm512_div_ps(a, b); }
  static LOWP_INLINE Float Fma(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }
  static LOWP_INLINE Float Max(Float a, Float b) { return _mm512_max_ps(a, b); }
  static LOWP_INLINE Float Min(Float a, Float b) { return _mm512_min_ps(a, b); }
  static LOWP_INLINE Float RoundFloat(Float v) {
    return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  static LOWP_INLINE Float ToFloat(Int v) { return _mm512_cvtepi32_ps(v); }
  static LOWP_INLINE Int ToInt(Float v) { return _mm512_cvtps_epi32(v); }
  static LOWP_INLINE Float LoadBytesAsFloat(const uint8_t* p) {
    return ToFloat(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  static LOWP_INLINE Float LoadLanes(const float* p, size_t step) {
    const __m512 low = _mm512_castps256_ps512(Ymm::LoadLanes(p, step));
    return _mm512_insertf32x8(low, Ymm::LoadLanes(p + 2 * step, step), 1);
  }
  template <int kLane>
  static LOWP_INLINE __m128 Lane(Float v) {
    return _mm512_extractf32x4_ps(v, kLane);
  }
  static LOWP_INLINE Int Pack(const Int (&v)[4]) {
    return _mm512_packus_epi16(_mm512_packs_epi32(v[0], v[1]), _mm512_packs_epi32(v[2], v[3]));
  }
  static LOWP_INLINE Half Pack(const Int (&v)[2]) {
    return _mm512_cvtusepi16_epi8(_mm512_max_epi16(_mm512_packs_epi32(v[0], v[1]), Zero()));
  }
  static LOWP_INLINE void StoreFloat(float* y, Float v) { _mm512_storeu_ps(y, v); }
  static LOWP_INLINE void StoreFirst(float* y, Float v, size_t count) {
    if (count >= 16) {
      _mm512_storeu_ps(y, v);
    } else {
      _mm512_mask_storeu_ps(y, static_cast<__mmask16>((1u << count) - 1), v);
    }
  }
};

#endif

// The first `count` floats into registers in unpacked order; those behind are 0. Reads no others.
template <class V, int kVectors>
LOWP_INLINE void LoadFloatBlock(const float* p, size_t count, typename V::Float (&v)[kVectors]) {
  constexpr size_t kAll = kVectors * V::kLanes;
  float part[kAll];
  if (count < kAll) {
    for (size_t i = 0; i < kAll; i++) part[i] = i < count ? p[i] : 0.0f;
    p = part;
  }
  LOWP_UNROLL for (int j = 0; j < kVectors; j++) { v[j] = V::LoadLanes(p + 4 * j, 4 * kVectors); }
}

// 4 channels of 128-bit lane kLane of register j, where there are that many.
template <class V, int kVectors, int kLane>
LOWP_INLINE void StoreLane(float* y, typename V::Float v, int j, size_t count) {
  const size_t first = 4 * (static_cast<size_t>(kLane) * kVectors + j);
  if (first < count) StoreFloats(y + first, V::template Lane<kLane>(v), count - first);
}

// The first `count` channels of registers in unpacked order.
template <class V, int kVectors>
LOWP_INLINE void StoreFloatBlock(float* y, const typename V::Float (&v)[kVectors], size_t count) {
  LOWP_UNROLL for (int j = 0; j < kVectors; j++) {
    StoreLane<V, kVectors, 0>(y, v[j], j, count);
    StoreLane<V, kVectors, 1>(y, v[j], j, count);
    if constexpr (V::kLanes == 16) {
      StoreLane<V, kVectors, 2>(y, v[j], j, count);
      StoreLane<V, kVectors, 3>(y, v[j], j, count);
    }
  }
}

}  // namespace
}  // namespace lowp
