// a * b + c with one rounding, fast where the CPU level has no such instruction. For plain C++ files, not ISA files.
//
// The product of two floats is exact in double. Their sum with c, rounded to double, rounds to the same float as the
// exact sum unless it lies halfway between two floats (the double may have been rounded onto the middle) or below the
// normal floats (where the middle is elsewhere); those rare sums go to std::fmaf.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace lowp {

// True when rounding the double to float may differ from rounding the exact sum. Sums of products of floats are 0 or
// at least 2^-298, so that the upper word tells them from 0.
inline bool RoundsTwice(double sum) {
  constexpr uint32_t kDropped = 0x1FFFFFFF, kMiddle = 0x10000000;  // the 29 bits that a float does not keep
  constexpr uint32_t kLeastNormal = 0x38100000;                    // upper word of 2^-126
  uint64_t bits;
  std::memcpy(&bits, &sum, sizeof(bits));
  const uint32_t upper = static_cast<uint32_t>(bits >> 32) & 0x7FFFFFFF;
  const bool middle = ((static_cast<uint32_t>(bits) ^ kMiddle) & kDropped) == 0;
  return middle | (upper - 1 < kLeastNormal - 1);
}

inline float ExactFma(float a, float b, float c) {
#if defined(__FP_FAST_FMAF)
  return std::fmaf(a, b, c);
#else
  const double sum = static_cast<double>(a) * b + c;
  return RoundsTwice(sum) ? std::fmaf(a, b, c) : static_cast<float>(sum);
#endif
}

// sum[i] = fma(a, b[i], sum[i]) for i < kCount.
template <size_t kCount>
inline void ExactFma(float a, const float (&b)[kCount], float (&sum)[kCount]) {
#if defined(__FP_FAST_FMAF)
  for (size_t i = 0; i < kCount; i++) sum[i] = std::fmaf(a, b[i], sum[i]);
#else
  double sums[kCount];
  uint32_t twice = 0;
  for (size_t i = 0; i < kCount; i++) sums[i] = static_cast<double>(a) * b[i] + sum[i];
  for (size_t i = 0; i < kCount; i++) twice |= RoundsTwice(sums[i]);
  if (twice != 0) {
    for (size_t i = 0; i < kCount; i++) sum[i] = std::fmaf(a, b[i], sum[i]);
  } else {
    for (size_t i = 0; i < kCount; i++) sum[i] = static_cast<float>(sums[i]);
  }
#endif
}

}  // namespace lowp
