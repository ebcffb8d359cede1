// Checks, preparation and tiling of `reduce`.
#include "kernels/reduce/reduce.h"

#include <algorithm>
#include <cmath>

#include "kernels/flat_tiles.h"
#include "kernels/reduce/rows.h"
#include "kernels/row.h"

namespace lowp {
namespace {

constexpr Row<ReduceRows> kRows[] = {
#if defined(__x86_64__)
    LOWP_ROW(reduce_f32_avx512_64, kAvx512),
    LOWP_ROW(reduce_f32_avx2_64, kAvx2),
#endif
    LOWP_ROW(reduce_f32_scalar, kScalar),
};

// Elements of a block along the axis; columns of a piece; elements that a tile reads at least, where there are so many.
constexpr size_t kBlock = 1024;
constexpr size_t kPiece = 512;
constexpr size_t kTileElements = 16384;

enum Finish : uint32_t { kNothing = 0, kDivide = 1, kRoot = 2 };

// The op that joins results of blocks.
ReduceOp JoinOf(ReduceOp op) { return op == kReduceSumAbs || op == kReduceSumSquares ? kReduceSum : op; }

Status Validate(const CallView& call) {
  const auto& p = call.Params<ReduceParams>();
  uint64_t from = 0, to = 0, bytes = 0;
  LOWP_REQUIRE(CheckedProduct(&from, p.outer, p.axis, p.inner) && CheckedProduct(&to, p.outer, p.inner) &&
                   CheckedMul(from, sizeof(float), &bytes),
               "reduce: sizes overflow");
  LOWP_REQUIRE(p.op < kReduceOps, "reduce: unknown op");
  LOWP_REQUIRE(p.finish <= kRoot, "reduce: unknown finish");
  LOWP_REQUIRE(p.axis > 0, "reduce: the axis must be positive");
  LOWP_REQUIRE(call.Input(0).Is(ElementType::kF32, from), "reduce: x must be f32[outer * axis * inner]");
  LOWP_REQUIRE(call.Output(0).Is(ElementType::kF32, to), "reduce: y must be f32[outer * inner]");
  return Status();
}

// Phase 0 reduces blocks, to y or to a table of results [outer, blocks, inner]; phase 1 joins the results of a table.
// A unit is one block of one piece of the columns of one outer index; a tile is a run of units.
class ReduceCall final : public PreparedCall {
 public:
  ReduceCall(const CallView& call, const PrepareContext& context) : p_(call.Params<ReduceParams>()) {
    const Row<ReduceRows>& chosen = SelectRow(kRows, context);
    row = chosen.name;
    along_ = chosen.run->along[p_.op];
    down_ = chosen.run->down[p_.op];
    short_ = p_.inner == 1 && p_.axis <= kShortReduce ? chosen.run->short_rows[p_.op] : nullptr;
    join_ = chosen.run->down[JoinOf(static_cast<ReduceOp>(p_.op))];
    blocks_ = CeilDiv(p_.axis, kBlock);
    pieces_ = CeilDiv(p_.inner, kPiece);
    const size_t unit = std::min<size_t>(p_.axis, kBlock) * std::min<size_t>(std::max(p_.inner, 1u), kPiece);
    run_ = std::max<size_t>(1, kTileElements / unit);
    units_ = p_.outer * pieces_ * blocks_;
    tiles[0] = CeilDiv(units_, run_);
    if (blocks_ > 1) {
      phases = 2;
      tiles[1] = p_.outer * pieces_;
      shared_bytes = size_t{p_.outer} * blocks_ * p_.inner * sizeof(float);
    }
    operations = static_cast<double>(p_.outer) * p_.axis * p_.inner;
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    float* y = static_cast<float*>(context.outputs[0]);
    float* table = reinterpret_cast<float*>(context.shared);
    if (phase == 1) {
      for (size_t i = begin; i < end; i++) Join(table, y, i / pieces_, i % pieces_);
      return;
    }
    const float* x = static_cast<const float*>(context.inputs[0]);
    const size_t last = std::min(units_, end * run_);
    if (short_) {  // a unit is a row
      const size_t first = begin * run_;
      short_(x + first * p_.axis, p_.axis, last - first, y + first);
      return FinishAll(y + first, last - first);
    }
    for (size_t unit = begin * run_; unit < last; unit++) Block(x, blocks_ > 1 ? table : y, unit);
  }

 private:
  size_t Columns(size_t piece) const { return std::min<size_t>(kPiece, p_.inner - piece * kPiece); }

  void Block(const float* x, float* to, size_t unit) const {
    const size_t block = unit % blocks_, piece = unit / blocks_ % pieces_, outer = unit / blocks_ / pieces_;
    const size_t first = block * kBlock, n = std::min<size_t>(kBlock, p_.axis - first);
    const size_t columns = Columns(piece), inner = p_.inner;
    const float* from = x + (outer * p_.axis + first) * inner + piece * kPiece;
    float* y = to + (outer * blocks_ + block) * inner + piece * kPiece;
    if (inner == 1) {
      *y = along_(from, n);
    } else {
      down_(from, n, inner, columns, y);
    }
    if (blocks_ == 1) FinishAll(y, columns);
  }

  void Join(const float* table, float* to, size_t outer, size_t piece) const {
    const size_t inner = p_.inner, columns = Columns(piece);
    float* y = to + outer * inner + piece * kPiece;
    join_(table + outer * blocks_ * inner + piece * kPiece, blocks_, inner, columns, y);
    FinishAll(y, columns);
  }

  void FinishAll(float* y, size_t n) const {
    if (p_.finish == kDivide)
      for (size_t i = 0; i < n; i++) y[i] /= p_.divisor;
    if (p_.finish == kRoot)
      for (size_t i = 0; i < n; i++) y[i] = std::sqrt(y[i]);
  }

  ReduceParams p_;
  ReduceAlong along_ = nullptr;
  ReduceShort short_ = nullptr;
  ReduceDown down_ = nullptr, join_ = nullptr;
  size_t blocks_ = 1, pieces_ = 1, units_ = 0, run_ = 1;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  return PreparedPtr(std::make_unique<ReduceCall>(call, context));
}

}  // namespace

const KernelDef kernel_reduce = {"reduce", ReduceParams::Fields, Validate, Prepare};

}  // namespace lowp
