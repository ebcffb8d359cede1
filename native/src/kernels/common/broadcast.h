// Four dimensions over which operands are broadcast: each has strides in elements, 0 where it repeats.
#pragma once
#include <algorithm>

#include "kernels/flat_tiles.h"
#include "kernels/kernel.h"

namespace lowp {

struct BroadcastStrides {
  uint32_t of[4];
};

// Needs all sizes > 0.
template <size_t N>
class Broadcast {
 public:
  Broadcast(const uint32_t (&sizes)[4], const BroadcastStrides (&strides)[N]) {
    std::copy(sizes, sizes + 4, sizes_);
    std::copy(strides, strides + N, strides_);
    row_count_ = size_t{sizes[0]} * sizes[1] * sizes[2];
    columns_ = std::min<size_t>(sizes[3], kFlatTile);
    rows_ = columns_ < sizes[3] ? 1 : std::max<size_t>(1, kFlatTile / sizes[3]);
    column_tiles_ = CeilDiv(size_t{sizes[3]}, columns_);
  }

  // True when operand i holds the element with the greatest coordinates.
  bool Covers(size_t i, const Operand& operand) const {
    uint64_t last = 0;
    for (size_t j = 0; j < 4; j++) {
      uint64_t span = 0;
      if (!CheckedMul(uint64_t{sizes_[j]} - 1, strides_[i].of[j], &span) || __builtin_add_overflow(last, span, &last)) {
        return false;
      }
    }
    return operand.elements > last;
  }

  // Tiles are parts of a row, or some whole rows; a row is the last dimension.
  size_t tiles() const { return CeilDiv(row_count_, rows_) * column_tiles_; }
  // From neighbour to neighbour of a row of operand i.
  size_t step(size_t i) const { return strides_[i].of[3]; }

  // Calls visit(places, to, n) for the rows of a tile: the first element of each operand, that of the dense output, and
  // how many there are.
  template <class Visit>
  void ForEachRow(size_t tile, const Visit& visit) const {
    const size_t first = tile / column_tiles_ * rows_, last = std::min(row_count_, first + rows_);
    const size_t column = tile % column_tiles_ * columns_, n = std::min<size_t>(columns_, sizes_[3] - column);
    for (size_t row = first; row < last; row++) {
      const size_t at[4] = {row / sizes_[2] / sizes_[1], row / sizes_[2] % sizes_[1], row % sizes_[2], column};
      size_t places[N] = {};
      for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < 4; j++) places[i] += at[j] * strides_[i].of[j];
      }
      visit(places, row * sizes_[3] + column, n);
    }
  }

 private:
  uint32_t sizes_[4];
  BroadcastStrides strides_[N];
  size_t row_count_ = 0, rows_ = 1, columns_ = 1, column_tiles_ = 1;
};

// Of params with d0 to d3 and a stride of a and b for each.
template <class Params>
Broadcast<2> PairsOf(const Params& p) {
  return {{p.d0, p.d1, p.d2, p.d3},
          {{{p.a_stride0, p.a_stride1, p.a_stride2, p.a_stride3}}, {{p.b_stride0, p.b_stride1, p.b_stride2, p.b_stride3}}}};
}

// A row of y = Op::Of(a, b).
template <class In, class Out>
using PairFunction = void (*)(const In* a, size_t a_step, const In* b, size_t b_step, Out* y, size_t n);

template <class In, class Out, class Op>
void ApplyToPairs(const In* a, size_t a_step, const In* b, size_t b_step, Out* y, size_t n) {
  if (a_step == 1 && b_step == 1) {
    for (size_t i = 0; i < n; i++) y[i] = Op::Of(a[i], b[i]);
  } else if (a_step == 1 && b_step == 0) {
    for (size_t i = 0; i < n; i++) y[i] = Op::Of(a[i], b[0]);
  } else {
    for (size_t i = 0; i < n; i++) y[i] = Op::Of(a[i * a_step], b[i * b_step]);
  }
}

// Calls apply(a, step of a, b, step of b, y, n) for the rows of tiles [begin, end); a and b are inputs 0 and 1.
template <class In, class Out>
void ForEachPairOfRows(const Broadcast<2>& rows, const RunContext& context, size_t begin, size_t end,
                       PairFunction<In, Out> apply) {
  const In* a = static_cast<const In*>(context.inputs[0]);
  const In* b = static_cast<const In*>(context.inputs[1]);
  Out* y = static_cast<Out*>(context.outputs[0]);
  for (size_t tile = begin; tile < end; tile++) {
    rows.ForEachRow(tile, [&](const size_t (&from)[2], size_t to, size_t n) {
      apply(a + from[0], rows.step(0), b + from[1], rows.step(1), y + to, n);
    });
  }
}

}  // namespace lowp
