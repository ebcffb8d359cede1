// The sizes of blocks.
#include "kernels/winograd/split.h"

#include <algorithm>

#include "kernels/flat_tiles.h"
#include "kernels/winograd/rows.h"

namespace lowp {
namespace {

constexpr size_t kElement = 4;
constexpr size_t kLine = 64 / kElement;  // elements of a cache line
constexpr size_t kLeastBlock = 48;       // tiles: each byte of weights is used so many times
constexpr size_t kLargestBlock = 256;

// Whole lines, an odd number of them: powers of two apart, the 16 products of a tile would meet in one set of L1.
size_t OddLines(size_t elements) { return (CeilDiv(elements, kLine) | 1) * kLine; }

size_t WholeLines(size_t bytes) { return (bytes + 63) & ~size_t{63}; }

}  // namespace

size_t WinogradSplit::table_bytes() const { return WholeLines(block * sizeof(uint8_t*)); }
size_t WinogradSplit::m_bytes() const { return kWinogradProducts * m_pitch * kElement; }
size_t WinogradSplit::v_bytes() const { return kWinogradProducts * product_pitch * kElement; }

WinogradSplit SplitWinograd(const WinogradQuery& q) {
  WinogradSplit s;
  s.pitch = OddLines(q.steps);
  const size_t panels = CeilDiv(q.out_c, q.columns);
  const size_t weights = kWinogradProducts * q.steps * q.out_c * kElement;
  const size_t tile_bytes = kWinogradProducts * s.pitch * kElement;
  s.weights_stay = weights <= q.l2_bytes / 4;
  s.together = q.threads > 1 && panels > 1 && weights > 2 * q.tiles * tile_bytes;
  const size_t most = std::clamp(q.l2_bytes * 2 / 5 / tile_bytes, kLeastBlock, kLargestBlock);
  s.blocks = CeilDiv(q.tiles, most);
  if (s.together) {
    s.groups = panels;
  } else {
    s.blocks = std::min(q.tiles, CeilDiv(s.blocks, q.threads) * q.threads);
  }
  s.block = CeilDiv(q.tiles, s.blocks);
  s.blocks = CeilDiv(q.tiles, s.block);
  s.product_pitch = OddLines((s.together ? q.tiles : s.block) * s.pitch);
  s.m_pitch = OddLines(s.block * q.columns);
  return s;
}

}  // namespace lowp
