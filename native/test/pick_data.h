// Slices along one axis, for tests of kernels that take picks (kernels/common/picks.h).
#pragma once
#include <cstdint>
#include <random>
#include <vector>

namespace lowp::test {

// `places` slices of the middle axis of [outer, size, inner].
template <class Params>
Params SlicePicks(uint32_t outer, uint32_t size, uint32_t inner, uint32_t places) {
  Params p{};
  p.rank = 2;
  p.n0 = outer;
  p.n1 = places;
  p.index_stride1 = 1;
  p.base_stride0 = size * inner;
  p.depth = 1;
  p.size0 = size;
  p.step0 = inner;
  p.block = inner;
  return p;
}

// Indices of an axis of `size` elements, about half of them counted from its end.
template <class Index>
std::vector<Index> RandomIndices(std::mt19937& random, uint32_t places, uint32_t size) {
  std::vector<Index> indices(places);
  for (Index& i : indices) i = static_cast<Index>(static_cast<int>(random() % (2 * size)) - static_cast<int>(size));
  return indices;
}

// The position that an index names.
template <class Index>
uint32_t PlaceOf(Index index, uint32_t size) {
  return static_cast<uint32_t>(index < 0 ? index + static_cast<Index>(size) : index);
}

}  // namespace lowp::test
