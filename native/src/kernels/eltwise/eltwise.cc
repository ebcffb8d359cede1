// Checks, preparation and tiling of `eltwise`.
#include "kernels/eltwise/eltwise.h"

#include <algorithm>
#include <limits>

#include "kernels/eltwise/rows.h"
#include "kernels/flat_tiles.h"
#include "kernels/row.h"

namespace lowp {
namespace {

constexpr Row<EltwiseRows> kRows[] = {
#if defined(__x86_64__)
    LOWP_ROW(eltwise_f32_avx512_16, kAvx512),
    LOWP_ROW(eltwise_f32_avx2_8, kAvx2),
#endif
    LOWP_ROW(eltwise_f32_scalar, kScalar),
};

constexpr int kRank = 4;

struct Dimension {
  uint64_t size, a, b;  // elements and strides
};

struct Geometry {
  Dimension d[kRank];  // outermost first
};

Geometry ReadGeometry(const EltwiseParams& p) {
  return {{{p.d0, p.a_stride0, p.b_stride0},
           {p.d1, p.a_stride1, p.b_stride1},
           {p.d2, p.a_stride2, p.b_stride2},
           {p.d3, p.a_stride3, p.b_stride3}}};
}

// True when the operand is f32 and holds the element with the greatest coordinates. Needs all sizes > 0.
bool Covers(const Operand& o, const Geometry& g, uint64_t Dimension::*stride) {
  uint64_t last = 0;
  for (const Dimension& d : g.d) {
    uint64_t step = 0;
    if (!CheckedMul(d.size - 1, d.*stride, &step) || __builtin_add_overflow(last, step, &last)) return false;
  }
  return o.present && o.type == ElementType::kF32 && o.elements > last;
}

Status Validate(const CallView& call) {
  const auto& p = call.Params<EltwiseParams>();
  const Geometry g = ReadGeometry(p);
  uint64_t elements = 0;
  LOWP_REQUIRE(p.op < kEltwiseOps, "eltwise: unknown op");
  LOWP_REQUIRE(CheckedProduct(&elements, p.d0, p.d1, p.d2, p.d3), "eltwise: sizes overflow");
  LOWP_REQUIRE(call.Output(0).Is(ElementType::kF32, elements), "eltwise: y must be f32[d0 * d1 * d2 * d3]");
  if (elements == 0) {
    for (size_t i : {0, 1})
      LOWP_REQUIRE(call.Input(i).present && call.Input(i).type == ElementType::kF32, "eltwise: a and b must be f32");
    return Status();
  }
  LOWP_REQUIRE(Covers(call.Input(0), g, &Dimension::a), "eltwise: a must be f32 and hold every element that is read");
  LOWP_REQUIRE(Covers(call.Input(1), g, &Dimension::b), "eltwise: b must be f32 and hold every element that is read");
  return Status();
}

// The same elements in the same order with as few dimensions as possible, innermost last, the others of size 1.
Geometry Coalesce(const Geometry& g) {
  Geometry out;
  int first = kRank;  // the outermost dimension in use
  for (int i = kRank - 1; i >= 0; i--) {
    const Dimension& d = g.d[i];
    if (d.size == 1) continue;
    if (first < kRank) {
      Dimension& inner = out.d[first];
      if (d.a == inner.a * inner.size && d.b == inner.b * inner.size) {
        inner.size *= d.size;
        continue;
      }
    }
    out.d[--first] = d;
  }
  while (first > 0) out.d[--first] = {1, 0, 0};
  return out;
}

// True when the operand is read once, in the order of y.
bool IsDense(const Geometry& coalesced, uint64_t Dimension::*stride) {
  uint64_t expected = 1;
  for (int i = kRank - 1; i >= 0; i--) {
    const Dimension& d = coalesced.d[i];
    if (d.size != 1 && d.*stride != expected) return false;
    expected *= d.size;
  }
  return true;
}

class EltwiseCall final : public PreparedCall {
 public:
  EltwiseCall(const CallView& call, const PrepareContext& context)
      : g_(Coalesce(ReadGeometry(call.Params<EltwiseParams>()))) {
    const auto& p = call.Params<EltwiseParams>();
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const Row<EltwiseRows>& chosen = SelectRow(kRows, context);
    function_ = (p.low == -kInfinity && p.high == kInfinity ? chosen.run->plain : chosen.run->clamped)[p.op];
    row = chosen.name;
    low_ = p.low;
    high_ = p.high;
    const uint64_t elements = call.Output(0).elements;
    operations = static_cast<double>(elements);
    tiles[0] = 0;
    if (elements == 0) return;
    const size_t rows = g_.d[2].size, n = g_.d[3].size;
    columns_ = std::min(n, kFlatTile);
    rows_ = columns_ < n ? 1 : std::min(rows, std::max<size_t>(1, kFlatTile / n));
    column_tiles_ = CeilDiv(n, columns_);
    row_tiles_ = CeilDiv(rows, rows_);
    tiles[0] = g_.d[0].size * g_.d[1].size * row_tiles_ * column_tiles_;
    // An operand b with other strides must not be the same buffer.
    const bool same_order = IsDense(g_, &Dimension::b) || call.Input(1).elements != elements;
    if (IsDense(g_, &Dimension::a) && call.Input(0).elements == elements && same_order) inplace_input = 0;
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    for (size_t tile = begin; tile < end; tile++) function_(Block(context, tile));
  }

 private:
  EltwiseBlock Block(const RunContext& context, size_t tile) const {
    const size_t column = tile % column_tiles_ * columns_;
    const size_t first_row = tile / column_tiles_ % row_tiles_ * rows_;
    const size_t outer = tile / column_tiles_ / row_tiles_;
    const Dimension &d1 = g_.d[1], &d2 = g_.d[2], &d3 = g_.d[3];
    const size_t i0 = outer / d1.size, i1 = outer % d1.size;
    EltwiseBlock block;
    block.a =
        static_cast<const float*>(context.inputs[0]) + i0 * g_.d[0].a + i1 * d1.a + first_row * d2.a + column * d3.a;
    block.b =
        static_cast<const float*>(context.inputs[1]) + i0 * g_.d[0].b + i1 * d1.b + first_row * d2.b + column * d3.b;
    block.y = static_cast<float*>(context.outputs[0]) + (outer * d2.size + first_row) * d3.size + column;
    block.rows = std::min<size_t>(rows_, d2.size - first_row);
    block.n = std::min<size_t>(columns_, d3.size - column);
    block.a_row = d2.a;
    block.b_row = d2.b;
    block.y_row = d3.size;
    block.a_step = d3.a;
    block.b_step = d3.b;
    block.low = low_;
    block.high = high_;
    return block;
  }

  Geometry g_;
  EltwiseFunction function_ = nullptr;
  float low_, high_;
  size_t rows_ = 1, columns_ = 1;            // extent of a tile
  size_t row_tiles_ = 1, column_tiles_ = 1;  // tiles along the two inner dimensions
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  return PreparedPtr(std::make_unique<EltwiseCall>(call, context));
}

}  // namespace

const KernelDef kernel_eltwise = {"eltwise", EltwiseParams::Fields, Validate, Prepare};

}  // namespace lowp
