// What kernels that choose boxes share: the order of scores, overlaps, and greedy suppression. Corners are doubles.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace lowp {

// The near corner and the far one: both coordinates of one axis order.
struct Box {
  double near[2], far[2];
};

// Keys in rising order are scores in falling order (-0 equal to 0) with NaN behind them, equal ones by rising position.
inline uint64_t RankKey(float score, uint32_t position) {
  if (score != score) return uint64_t{UINT32_MAX} << 32 | position;
  const uint32_t bits = __builtin_bit_cast(uint32_t, score + 0.0f);
  const uint32_t rising = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
  return static_cast<uint64_t>(~rising) << 32 | position;
}

inline uint32_t PositionOfKey(uint64_t key) { return static_cast<uint32_t>(key); }

// Puts the least `most` of `count` keys in front, sorted; returns how many there are.
inline size_t RankBest(uint64_t* keys, size_t count, size_t most) {
  if (most == 0) return 0;
  if (count > most) std::nth_element(keys, keys + most - 1, keys + count);
  const size_t ranked = std::min(count, most);
  std::sort(keys, keys + ranked);
  return ranked;
}

// min and max that are NaN when one of the two is.
inline double LeastOf(double a, double b) { return a != a || a < b ? a : b; }
inline double MostOf(double a, double b) { return a != a || a > b ? a : b; }

// `extent` is added to every side: 1 where corners are pixels that belong to the box.
inline double AreaOf(const Box& b, double extent = 0) {
  return (b.far[0] - b.near[0] + extent) * (b.far[1] - b.near[1] + extent);
}

// Intersection over union in double precision, 0 when they do not meet.
inline double ExactOverlapOf(const Box& a, const Box& b, double extent = 0) {
  const double width = LeastOf(a.far[0], b.far[0]) - MostOf(a.near[0], b.near[0]);
  const double height = LeastOf(a.far[1], b.far[1]) - MostOf(a.near[1], b.near[1]);
  if (!(width >= 0 && height >= 0)) return 0;
  const double common = (width + extent) * (height + extent);
  return common == 0 ? 0 : common / (AreaOf(a, extent) + AreaOf(b, extent) - common);
}

// Rounded once.
inline float OverlapOf(const Box& a, const Box& b, double extent = 0) {
  return static_cast<float>(ExactOverlapOf(a, b, extent));
}

// When a box gives way to a kept one: its overlap is above the threshold, or equal to it with at_threshold.
struct Suppression {
  float threshold;
  bool at_threshold;
  double extent = 0;

  bool GivesWay(const Box& box, const Box* kept, size_t count) const {
    const bool apart_is_enough = threshold < 0 || (at_threshold && threshold <= 0);
    for (size_t k = 0; k < count; k++) {
      const Box& other = kept[k];
      // Most boxes do not meet.
      if (box.near[0] > other.far[0] || other.near[0] > box.far[0] || box.near[1] > other.far[1] ||
          other.near[1] > box.far[1]) {
        if (apart_is_enough) return true;
        continue;
      }
      const float overlap = OverlapOf(box, other, extent);
      if (overlap > threshold || (at_threshold && overlap == threshold)) return true;
    }
    return false;
  }
};

// exp(x), at most 1 ulp: x = n ln 2 + r, a Taylor sum of r to the 13th power, whose rest is below 2^-57. The same bits
// on every machine, which those of a C library are not.
inline double ExponentialOf(double x) {
  if (x != x) return x;
  if (x > 709.8) return __builtin_inf();
  if (x < -745.2) return 0;
  constexpr double kRoundingShift = 0x1.8p52;
  const double n = (x * 0x1.71547652b82fep+0 + kRoundingShift) - kRoundingShift;
  // ln 2 in two parts, the first with 32 bits, so that n times it is exact.
  const double r = (x - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33;
  double sum = 1.0 / 6227020800.0;
  for (const double factorial : {479001600.0, 39916800.0, 3628800.0, 362880.0, 40320.0, 5040.0, 720.0, 120.0, 24.0,
                                 6.0, 2.0})
    sum = sum * r + 1.0 / factorial;
  const double p = 1.0 + (r + r * r * sum);
  // 2^n in two halves: n reaches from -1075 to 1024.
  const int64_t half = static_cast<int64_t>(n) / 2, rest = static_cast<int64_t>(n) - half;
  const auto power = [](int64_t e) { return __builtin_bit_cast(double, static_cast<uint64_t>(e + 1023) << 52); };
  return p * power(half) * power(rest);
}

// A box whose sides are far - near + extent, moved by shares of them, and grown by exponentials of at most most_growth;
// `back` is taken off its far corner.
inline Box Refine(const Box& box, const double (&shift)[2], const double (&growth)[2], double extent, double back,
                  double most_growth) {
  Box moved;
  for (size_t axis = 0; axis < 2; axis++) {
    const double size = box.far[axis] - box.near[axis] + extent;
    const double center = box.near[axis] + size / 2 + shift[axis] * size;
    const double half = ExponentialOf(LeastOf(growth[axis], most_growth)) * size / 2;
    moved.near[axis] = center - half;
    moved.far[axis] = center + half - back;
  }
  return moved;
}

}  // namespace lowp
