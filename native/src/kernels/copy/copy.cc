// Checks, prepares and runs strided copies (copy.h).
#include "kernels/copy/copy.h"

#include <string>

#include "kernels/copy/plan.h"
#include "kernels/prepare_call.h"

namespace lowp {
namespace {

// Lowest and highest element that the loops address; false on overflow.
bool AddressRange(uint32_t rank, const uint32_t* counts, const int32_t* strides, uint32_t offset, int64_t* low,
                  int64_t* high) {
  *low = *high = offset;
  for (uint32_t j = 0; j < rank; j++) {
    const int64_t span = static_cast<int64_t>(counts[j] - 1) * strides[j];  // below 2^63 in magnitude
    int64_t* end = span < 0 ? low : high;
    if (__builtin_add_overflow(*end, span, end)) return false;
  }
  return true;
}

// True when no two steps write the same element: each stride exceeds everything that the smaller ones reach.
bool IsInjective(uint32_t rank, const uint32_t* counts, const int32_t* strides) {
  struct {
    uint64_t stride, count;
  } loops[kCopyMaxRank];
  uint32_t used = 0;
  for (uint32_t j = 0; j < rank; j++) {
    if (counts[j] == 1) continue;
    const uint64_t stride = static_cast<uint64_t>(strides[j] < 0 ? -static_cast<int64_t>(strides[j]) : strides[j]);
    uint32_t at = used++;
    for (; at > 0 && loops[at - 1].stride > stride; at--) loops[at] = loops[at - 1];
    loops[at].stride = stride;
    loops[at].count = counts[j];
  }
  uint64_t reach = 0;
  for (uint32_t j = 0; j < used; j++) {
    if (loops[j].stride <= reach) return false;
    uint64_t span = 0;
    if (!CheckedMul(loops[j].stride, loops[j].count - 1, &span) || __builtin_add_overflow(reach, span, &reach))
      return false;
  }
  return true;
}

Status CheckSide(const char* side, const Operand& operand, uint32_t rank, const uint32_t* counts,
                 const int32_t* strides, uint32_t offset) {
  int64_t low = 0, high = 0;
  const bool inside = AddressRange(rank, counts, strides, offset, &low, &high) && low >= 0 &&
                      static_cast<uint64_t>(high) < operand.elements;
  LOWP_REQUIRE(inside, std::string("copy: the strides leave the ") + side + ", which has " +
                           std::to_string(operand.elements) + " elements; elements " + std::to_string(low) + " to " +
                           std::to_string(high) + " are addressed");
  return Status();
}

Status Validate(const CallView& call) {
  LOWP_REQUIRE(call.inputs.size() == 1 && call.outputs.size() == 1, "copy: expected one input and one output");
  const CopyGeometry g = CopyGeometry::Of(call.Params<CopyParams>());
  const Operand x = call.Input(0), y = call.Output(0);
  LOWP_REQUIRE(x.present && y.present, "copy: the input and the output must be present");
  LOWP_REQUIRE(x.type == y.type, "copy: the input and the output must have the same element type");
  LOWP_REQUIRE(g.rank >= 1 && g.rank <= kCopyMaxRank, "copy: rank must be 1 to 6, found " + std::to_string(g.rank));
  uint64_t elements = 1;
  bool fits = true, empty = false;
  for (uint32_t j = 0; j < g.rank; j++) {
    const uint32_t count = g.counts[j];
    empty = empty || count == 0;
    fits = fits && CheckedMul(elements, count, &elements);
  }
  if (empty) return Status();
  LOWP_REQUIRE(fits, "copy: the number of elements does not fit 64 bits");
  LOWP_RETURN_IF_ERROR(CheckSide("input", x, g.rank, g.counts, g.in_strides, g.in_offset));
  LOWP_RETURN_IF_ERROR(CheckSide("output", y, g.rank, g.counts, g.out_strides, g.out_offset));
  LOWP_REQUIRE(IsInjective(g.rank, g.counts, g.out_strides),
               "copy: output strides must nest, so that no element is written twice");
  return Status();
}

class PreparedCopy final : public PreparedCall {
 public:
  PreparedCopy(const CopyPlan& plan, const CopyRow* chosen) : plan_(plan), row_(chosen) {
    row = chosen->name;
    const uint64_t rest = plan.a.count % plan.block_a;
    const bool exact = plan.block_a >= chosen->exact_a && (rest == 0 || rest >= chosen->exact_a);
    reads_in_place = exact && chosen->shape != CopyShape::kStrided;
    tiles[0] = plan.tiles();
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const uint8_t* x = static_cast<const uint8_t*>(context.inputs[0]);
    uint8_t* y = static_cast<uint8_t*>(context.outputs[0]);
    for (size_t tile = begin; tile < end; tile++) row_->run(Block(x, y, tile));
  }

 private:
  // Consecutive tiles walk along b, then a, then the outer loops, last one first.
  CopyBlock Block(const uint8_t* x, uint8_t* y, uint64_t tile) const {
    const uint64_t b = tile % plan_.blocks_b() * plan_.block_b;
    tile /= plan_.blocks_b();
    const uint64_t a = tile % plan_.blocks_a() * plan_.block_a;
    tile /= plan_.blocks_a();
    int64_t in =
        plan_.in_offset + static_cast<int64_t>(a) * plan_.a.in_stride + static_cast<int64_t>(b) * plan_.b.in_stride;
    int64_t out =
        plan_.out_offset + static_cast<int64_t>(a) * plan_.a.out_stride + static_cast<int64_t>(b) * plan_.b.out_stride;
    for (size_t j = plan_.outer_rank; j-- > 0;) {
      const int64_t step = static_cast<int64_t>(tile % plan_.outer[j].count);
      tile /= plan_.outer[j].count;
      in += step * plan_.outer[j].in_stride;
      out += step * plan_.outer[j].out_stride;
    }
    CopyBlock block;
    block.x = x + in;
    block.y = y + out;
    block.na = plan_.a.count - a < plan_.block_a ? plan_.a.count - a : plan_.block_a;
    block.nb = plan_.b.count - b < plan_.block_b ? plan_.b.count - b : plan_.block_b;
    block.in_a = plan_.a.in_stride;
    block.in_b = plan_.b.in_stride;
    block.out_a = plan_.a.out_stride;
    block.out_b = plan_.b.out_stride;
    return block;
  }

  CopyPlan plan_;
  const CopyRow* row_;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  const CopyPlan plan = MakeCopyPlan(CopyGeometry::Of(call.Params<CopyParams>()), SizeOf(call.Input(0).type));
  const CopyRow* row = SelectCopyRow(plan.shape, plan.size, context.isa, context.force_row);
  return MakeCall<PreparedCopy>("copy", plan, row);
}

}  // namespace

const KernelDef kernel_copy = {"copy", CopyParams::Fields, Validate, Prepare};

}  // namespace lowp
