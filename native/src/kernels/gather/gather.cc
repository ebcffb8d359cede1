// Checks and runs `gather` (gather.h).
#include "kernels/gather/gather.h"

#include <algorithm>

#include "kernels/common/blocks.h"
#include "kernels/flat_tiles.h"
#include "kernels/prepare_call.h"

namespace lowp {
namespace {

constexpr size_t kTileBytes = 64 << 10;

Status Validate(const CallView& call) {
  const GatherParams& p = call.Params<GatherParams>();
  const Operand x = call.Input(0), y = call.Output(0);
  LOWP_REQUIRE(call.inputs.size() == 2 && call.outputs.size() == 1 && x.present && y.present,
               "gather: expected two inputs and one output");
  LOWP_REQUIRE(x.type == y.type, "gather: x and y must have the same element type");
  LOWP_REQUIRE(p.outside <= 1, "gather: outside must be 0 or 1");
  return Picks::Of(p).Validate("gather", call.Input(1), x.elements, y.elements);
}

class PreparedGather final : public PreparedCall {
 public:
  explicit PreparedGather(const CallView& call)
      : picks_(Picks::Of(call.Params<GatherParams>())),
        item_bytes_(SizeOf(call.Input(0).type)),
        index_type_(call.Input(1).type),
        reports_(call.Params<GatherParams>().outside == 0) {
    count_ = picks_.count();
    tile_picks_ = std::max<uint64_t>(1, kTileBytes / (picks_.block * item_bytes_));
    tiles[0] = CeilDiv(count_, tile_picks_);
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const uint64_t first = begin * tile_picks_, last = std::min<uint64_t>(count_, end * tile_picks_);
    if (index_type_ == ElementType::kI64) {
      RunAs(static_cast<const int64_t*>(context.inputs[1]), context, first, last);
    } else {
      RunAs(static_cast<const int32_t*>(context.inputs[1]), context, first, last);
    }
  }

  std::string Describe(const RunContext& context, uint64_t position) const override {
    return picks_.Describe(context.inputs[1], index_type_, position);
  }

 private:
  template <class Index>
  void RunAs(const Index* indices, const RunContext& context, uint64_t first, uint64_t last) const {
    const uint8_t* x = static_cast<const uint8_t*>(context.inputs[0]);
    uint8_t* y = static_cast<uint8_t*>(context.outputs[0]);
    const size_t item_bytes = item_bytes_;
    WithBlock(picks_.block * item_bytes, [&](const auto& block) {
      picks_.ForEach(indices, first, last, reports_ ? context.fault : nullptr, [&](uint64_t pick, int64_t element) {
        uint8_t* to = y + pick * block.bytes();
        if (element < 0) {
          block.Clear(to);
        } else {
          block.Copy(to, x + static_cast<size_t>(element) * item_bytes);
        }
      });
    });
  }

  Picks picks_;
  size_t item_bytes_;
  ElementType index_type_;
  bool reports_;
  uint64_t count_ = 0;
  uint64_t tile_picks_ = 1;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext&) {
  return MakeCall<PreparedGather>("gather", call);
}

}  // namespace

const KernelDef kernel_gather = {"gather", GatherParams::Fields, Validate, Prepare};

}  // namespace lowp
