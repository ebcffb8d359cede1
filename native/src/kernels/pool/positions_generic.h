// Rows of `max_positions`, 16 channels at a time, written so that a compiler finds vectors of any width.
#pragma once
#include "kernels/pool/positions_row.h"

namespace lowp {
namespace {

constexpr size_t kChannels = 16;

constexpr float Lowest(float) { return -__builtin_inff(); }
constexpr int32_t Lowest(int32_t) { return 0; }

// Whether v takes the place of `most`; both are compared as they are, so NaN differs from itself.
inline bool Exceeds(float v, float most) { return (v > most) | ((v != v) & (most == most)); }
inline bool Exceeds(int32_t v, int32_t most) { return v > most; }

template <class T, class Wide>
void Visit(const T* x, uint32_t position, Wide* most, uint32_t* where) {
  for (size_t i = 0; i < kChannels; i++) {
    const Wide v = static_cast<Wide>(x[i]);
    const bool takes = Exceeds(v, most[i]);
    most[i] = takes ? v : most[i];
    where[i] = takes ? position : where[i];
  }
}

// Loads go up to kReadSlack behind x; only the channels of the task are stored.
template <class T, class Wide, class Index>
void RunPixel(const PositionsTask& task, const PoolSpan& column, size_t c, T* y, Index* positions) {
  Wide most[kChannels];
  uint32_t where[kChannels];
  const bool is_empty = task.plane.length == 0 || task.row.length == 0 || column.length == 0;
  const uint32_t first = (task.plane.first * task.in_h + task.row.first) * task.in_w + column.first;
  const uint8_t* plane = task.x + task.plane.first * task.in_plane + task.row.first * task.in_row +
                         column.first * task.in_pixel + c * sizeof(T);
  for (size_t i = 0; i < kChannels; i++) {
    most[i] = is_empty ? Lowest(Wide{}) : static_cast<Wide>(reinterpret_cast<const T*>(plane)[i]);
    where[i] = is_empty ? 0 : first;
  }
  uint32_t at_plane = first;
  for (uint32_t kz = 0; kz < task.plane.length; kz++) {
    const uint8_t* row = plane;
    uint32_t at_row = at_plane;
    for (uint32_t ky = 0; ky < task.row.length; ky++) {
      const uint8_t* pixel = row;
      uint32_t at = at_row;
      for (uint32_t kx = 0; kx < column.length; kx++) {
        Visit(reinterpret_cast<const T*>(pixel), at, most, where);
        pixel += task.in_pixel * static_cast<size_t>(task.dilation_w);
        at += task.dilation_w;
      }
      row += task.in_row * static_cast<size_t>(task.dilation_h);
      at_row += task.dilation_h * task.in_w;
    }
    plane += task.in_plane * static_cast<size_t>(task.dilation_d);
    at_plane += task.dilation_d * task.in_h * task.in_w;
  }
  if (!task.is_whole)
    for (size_t i = 0; i < kChannels; i++) where[i] %= task.period;
  const uint32_t base = task.base + static_cast<uint32_t>(c) * task.channel_step;
  const size_t n = task.channels - c < kChannels ? task.channels - c : kChannels;
  for (size_t i = 0; i < n; i++) y[c + i] = static_cast<T>(most[i]);
  for (size_t i = 0; i < n; i++)
    positions[c + i] = static_cast<Index>(where[i] + base + static_cast<uint32_t>(i) * task.channel_step);
}

template <class T, class Wide, class Index>
void RunPositions(const PositionsTask& task) {
  for (size_t ox = 0; ox < task.out_w; ox++) {
    T* y = reinterpret_cast<T*>(task.y + ox * task.out_pixel);
    Index* positions = reinterpret_cast<Index*>(task.positions) + ox * task.channels;
    for (size_t c = 0; c < task.channels; c += kChannels)
      RunPixel<T, Wide, Index>(task, task.columns[ox], c, y, positions);
  }
}

#define LOWP_POSITIONS_ROWS                                                                              \
  {                                                                                                      \
    RunPositions<float, float, int32_t>, RunPositions<float, float, int64_t>,                            \
        RunPositions<uint8_t, int32_t, int32_t>, RunPositions<uint8_t, int32_t, int64_t>                 \
  }

}  // namespace
}  // namespace lowp
