// Equal pieces of a flat array of elements, the tiles of kernels that treat every element alike.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lowp {

// 64 KiB of floats: long enough to hide a call, short enough to share among threads.
constexpr size_t kFlatTile = 16384;

constexpr size_t CeilDiv(uint64_t a, uint64_t b) { return static_cast<size_t>(a / b + (a % b != 0)); }

constexpr size_t FlatTileCount(uint64_t elements) { return CeilDiv(elements, kFlatTile); }

struct FlatRange {
  size_t first;
  size_t count;
};

// The elements of tiles [begin, end), end <= FlatTileCount(elements).
constexpr FlatRange FlatTiles(uint64_t elements, size_t begin, size_t end) {
  const size_t first = begin * kFlatTile;
  const size_t last = end * kFlatTile < elements ? end * kFlatTile : static_cast<size_t>(elements);
  return {first, last > first ? last - first : 0};
}

}  // namespace lowp
