// Rows of `max_positions`, 16 channels at a time, in vectors that the compiler cuts to the width of the file's
// instruction set.
#pragma once
#include <cstring>

#include "kernels/pool/positions_row.h"
#include "simd/inline.h"

namespace lowp {
namespace {

constexpr size_t kChannels = 16;

using Bytes = uint8_t __attribute__((vector_size(16)));
using Floats = float __attribute__((vector_size(64)));
using Ints = int32_t __attribute__((vector_size(64)));
using Positions = uint32_t __attribute__((vector_size(64)));

// The first n elements of a vector of 16.
template <class Vector, class Element>
LOWP_INLINE void StoreFirst(const Vector& v, Element* y, size_t n) {
  if (n >= kChannels) {
    std::memcpy(y, &v, sizeof(v));
  } else {
    std::memcpy(y, &v, n * sizeof(Element));
  }
}

// How 16 elements are loaded, compared and stored; comparisons give -1 where they hold.
struct FloatElements {
  using Element = float;
  using Vector = Floats;
  static LOWP_INLINE void Load(const uint8_t* x, Vector* v) { std::memcpy(v, x, sizeof(*v)); }
  // A NaN exceeds every number.
  static LOWP_INLINE void Exceeds(const Vector& v, const Vector& most, Ints* takes) {
    *takes = (v > most) | ((v != v) & (most == most));
  }
  static LOWP_INLINE void SetLowest(Vector* v) { *v = Vector{} - __builtin_inff(); }
  static LOWP_INLINE void Store(const Vector& v, Element* y, size_t n) { StoreFirst(v, y, n); }
};

struct ByteElements {
  using Element = uint8_t;
  using Vector = Ints;
  static LOWP_INLINE void Load(const uint8_t* x, Vector* v) {
    Bytes bytes;
    std::memcpy(&bytes, x, sizeof(bytes));
    *v = __builtin_convertvector(bytes, Ints);
  }
  static LOWP_INLINE void Exceeds(const Vector& v, const Vector& most, Ints* takes) { *takes = v > most; }
  static LOWP_INLINE void SetLowest(Vector* v) { *v = Vector{}; }
  static LOWP_INLINE void Store(const Vector& v, Element* y, size_t n) {
    StoreFirst(__builtin_convertvector(v, Bytes), y, n);
  }
};

struct NarrowIndex {
  using Element = int32_t;
  using Vector = Ints;
};

struct WideIndex {
  using Element = int64_t;
  using Vector = int64_t __attribute__((vector_size(128)));
};

// The maxima of channels c to c + 15 under one window, and where they are in the volume. Loads go up to kReadSlack
// behind x.
template <class Kind>
LOWP_INLINE void FindMost(const PositionsTask& task, const PoolSpan& column, size_t c, typename Kind::Vector* found,
                          Positions* places) {
  const uint8_t* plane = task.x + task.plane.first * task.in_plane + task.row.first * task.in_row +
                         column.first * task.in_pixel + c * sizeof(typename Kind::Element);
  uint32_t at_plane = (task.plane.first * task.in_h + task.row.first) * task.in_w + column.first;
  typename Kind::Vector most;
  Kind::Load(plane, &most);
  Positions where = Positions{} + at_plane;
  for (uint32_t kz = 0; kz < task.plane.length; kz++) {
    const uint8_t* row = plane;
    uint32_t at_row = at_plane;
    for (uint32_t ky = 0; ky < task.row.length; ky++) {
      const uint8_t* pixel = row;
      uint32_t at = at_row;
      for (uint32_t kx = 0; kx < column.length; kx++) {
        typename Kind::Vector v;
        Ints takes;
        Kind::Load(pixel, &v);
        Kind::Exceeds(v, most, &takes);
        most = takes ? v : most;
        where = takes ? Positions{} + at : where;
        pixel += task.in_pixel * task.dilation_w;
        at += task.dilation_w;
      }
      row += task.in_row * task.dilation_h;
      at_row += task.dilation_h * task.in_w;
    }
    plane += task.in_plane * task.dilation_d;
    at_plane += task.dilation_d * task.in_h * task.in_w;
  }
  *found = most;
  *places = where;
}

template <class Kind, class Index>
void RunPositions(const PositionsTask& task) {
  using Element = typename Kind::Element;
  const Positions lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  for (size_t ox = 0; ox < task.out_w; ox++) {
    const PoolSpan& column = task.columns[ox];
    Element* y = reinterpret_cast<Element*>(task.y + ox * task.out_pixel);
    auto* positions = reinterpret_cast<typename Index::Element*>(task.positions) + ox * task.channels;
    for (size_t c = 0; c < task.channels; c += kChannels) {
      typename Kind::Vector most;
      Positions where;
      FindMost<Kind>(task, column, c, &most, &where);
      if (task.plane.length == 0 || task.row.length == 0 || column.length == 0) {
        Kind::SetLowest(&most);
        where = Positions{};
      }
      if (!task.is_whole) where %= task.period;
      where += (lanes + static_cast<uint32_t>(c)) * task.channel_step + task.base;
      const size_t n = task.channels - c;
      Kind::Store(most, y + c, n);
      StoreFirst(__builtin_convertvector(where, typename Index::Vector), positions + c, n);
    }
  }
}

#define LOWP_POSITIONS_ROWS                                                                \
  {                                                                                        \
    RunPositions<FloatElements, NarrowIndex>, RunPositions<FloatElements, WideIndex>,      \
        RunPositions<ByteElements, NarrowIndex>, RunPositions<ByteElements, WideIndex>     \
  }

}  // namespace
}  // namespace lowp
