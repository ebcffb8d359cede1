// Blocks of elements that indices name: the addresses of `gather` and `scatter`.
//
//   pick (i_0 .. i_rank-1), 0 <= i_j < n_j, in row-major order, names the block of `block` elements that begins at
//     sum_j i_j * base_stride_j + sum_d index_d * step_d,  0 <= d < depth
//   index_d is element sum_j i_j * index_stride_j + d of the indices. A negative one counts from the end of its axis,
//   which has size_d positions.
//
// Index strides are multiples of `depth`. Strides and steps count elements.
#pragma once
#include <string>

#include "kernels/kernel.h"

namespace lowp {

#define LOWP_PICK_PARAMS(F)                                                                               \
  F(u32, rank) F(u32, n0) F(u32, n1) F(u32, n2) F(u32, n3) F(u32, n4) F(u32, n5)                          \
  F(u32, index_stride0) F(u32, index_stride1) F(u32, index_stride2) F(u32, index_stride3)                 \
  F(u32, index_stride4) F(u32, index_stride5)                                                             \
  F(u32, base_stride0) F(u32, base_stride1) F(u32, base_stride2) F(u32, base_stride3)                     \
  F(u32, base_stride4) F(u32, base_stride5)                                                               \
  F(u32, depth) F(u32, size0) F(u32, size1) F(u32, size2) F(u32, size3) F(u32, size4) F(u32, size5)       \
  F(u32, step0) F(u32, step1) F(u32, step2) F(u32, step3) F(u32, step4) F(u32, step5) F(u32, block)

constexpr size_t kMaxPickAxes = 6;

// The params with their loops as arrays.
struct Picks {
  static constexpr int64_t kOutside = -1;

  size_t rank = 0;
  uint64_t counts[kMaxPickAxes] = {};
  uint64_t index_strides[kMaxPickAxes] = {};
  uint64_t base_strides[kMaxPickAxes] = {};
  size_t depth = 0;
  uint64_t sizes[kMaxPickAxes] = {};
  uint64_t steps[kMaxPickAxes] = {};
  uint64_t block = 0;

  template <class P>
  static Picks Of(const P& p) {
    return {p.rank,
            {p.n0, p.n1, p.n2, p.n3, p.n4, p.n5},
            {p.index_stride0, p.index_stride1, p.index_stride2, p.index_stride3, p.index_stride4, p.index_stride5},
            {p.base_stride0, p.base_stride1, p.base_stride2, p.base_stride3, p.base_stride4, p.base_stride5},
            p.depth,
            {p.size0, p.size1, p.size2, p.size3, p.size4, p.size5},
            {p.step0, p.step1, p.step2, p.step3, p.step4, p.step5},
            p.block};
  }

  // `addressed` holds the blocks that are named, `listed` one block for each pick. Errors begin with `kernel`.
  Status Validate(const std::string& kernel, const Operand& indices, uint64_t addressed, uint64_t listed) const;

  // Of valid picks.
  uint64_t count() const;
  // Elements from the first to the last one that the inner loops [from, rank) can name.
  uint64_t Reach(size_t from) const;

  // "index 7 at position 3 lies outside of an axis with 5 elements", of a position that ForEach reported.
  std::string Describe(const void* indices, ElementType type, uint64_t position) const;

  // Calls visit(pick, element) for picks [first, last) in order; the element where the block begins, or kOutside, which
  // is reported to `fault` unless that is null.
  template <class Index, class Visit>
  void ForEach(const Index* indices, uint64_t first, uint64_t last, Fault* fault, const Visit& visit) const {
    if (depth == 1) {
      Walk<Index, true>(indices, first, last, fault, visit);
    } else {
      Walk<Index, false>(indices, first, last, fault, visit);
    }
  }

 private:
  // The elements that one tuple of indices adds to the base, or kOutside.
  template <class Index, bool kSingle>
  int64_t Element(const Index* tuple, uint64_t position, Fault* fault) const {
    int64_t element = 0;
    for (size_t d = 0; d < (kSingle ? 1 : depth); d++) {
      const int64_t given = static_cast<int64_t>(tuple[d]), size = static_cast<int64_t>(sizes[d]);
      const int64_t index = given < 0 ? given + size : given;
      if (index < 0 || index >= size) {
        if (fault) fault->Report(position + d);
        return kOutside;
      }
      element += index * static_cast<int64_t>(steps[d]);
    }
    return element;
  }

  template <class Index, bool kSingle, class Visit>
  void Walk(const Index* indices, uint64_t first, uint64_t last, Fault* fault, const Visit& visit) const {
    uint64_t at[kMaxPickAxes] = {}, index = 0, base = 0, rest = first;
    for (size_t j = rank; j-- > 0; rest /= counts[j]) {
      at[j] = rest % counts[j];
      index += at[j] * index_strides[j];
      base += at[j] * base_strides[j];
    }
    const size_t inner = rank - 1;
    for (uint64_t pick = first; pick < last;) {
      const uint64_t steps_left = counts[inner] - at[inner], run = steps_left < last - pick ? steps_left : last - pick;
      for (uint64_t i = 0; i < run; i++) {
        const uint64_t position = index + i * index_strides[inner];
        const int64_t element = Element<Index, kSingle>(indices + position, position, fault);
        visit(pick + i, element < 0 ? element : element + static_cast<int64_t>(base + i * base_strides[inner]));
      }
      pick += run;
      at[inner] += run;
      index += run * index_strides[inner];
      base += run * base_strides[inner];
      for (size_t j = inner; j > 0 && at[j] == counts[j]; j--) {
        at[j] = 0;
        at[j - 1]++;
        index += index_strides[j - 1] - counts[j] * index_strides[j];
        base += base_strides[j - 1] - counts[j] * base_strides[j];
      }
    }
  }
};

}  // namespace lowp
