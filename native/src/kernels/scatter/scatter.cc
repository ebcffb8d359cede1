// Checks and runs `scatter` (scatter.h).
#include "kernels/scatter/scatter.h"

#include <algorithm>

#include "kernels/common/blocks.h"
#include "kernels/flat_tiles.h"
#include "kernels/prepare_call.h"

namespace lowp {
namespace {

constexpr size_t kTileBytes = 64 << 10;

Status Validate(const CallView& call) {
  const Operand x = call.Input(0), updates = call.Input(2), y = call.Output(0);
  LOWP_REQUIRE(call.inputs.size() == 3 && call.outputs.size() == 1 && x.present && updates.present && y.present,
               "scatter: expected three inputs and one output");
  LOWP_REQUIRE(x.type == y.type && x.type == updates.type && x.elements == y.elements,
               "scatter: x, y and the updates must have the same element type, x and y the same size");
  return Picks::Of(call.Params<ScatterParams>()).Validate("scatter", call.Input(1), x.elements, updates.elements);
}

// Phase 0 copies x, phase 1 replaces. Tiles of phase 1 write apart: they are steps of the outermost loop where these
// reach different elements, times parts of long blocks.
class PreparedScatter final : public PreparedCall {
 public:
  explicit PreparedScatter(const CallView& call)
      : picks_(Picks::Of(call.Params<ScatterParams>())),
        item_bytes_(SizeOf(call.Input(0).type)),
        bytes_(call.Input(0).elements * item_bytes_),
        index_type_(call.Input(1).type) {
    phases = 2;
    inplace_input = 0;
    tiles[0] = CeilDiv(bytes_, kTileBytes);
    const bool apart = picks_.base_strides[0] >= picks_.Reach(1);
    outer_ = apart ? picks_.counts[0] : 1;
    inner_ = picks_.count() / outer_;
    block_bytes_ = picks_.block * item_bytes_;
    parts_ = CeilDiv(block_bytes_, kTileBytes);
    tiles[1] = outer_ * parts_;
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    if (phase == 0) return CopyRest(context, begin * kTileBytes, std::min(bytes_, end * kTileBytes));
    for (size_t tile = begin; tile < end; tile++) {
      const uint64_t first = tile / parts_ * inner_;
      const size_t from = tile % parts_ * kTileBytes, bytes = std::min(kTileBytes, block_bytes_ - from);
      if (index_type_ == ElementType::kI64) {
        Replace(static_cast<const int64_t*>(context.inputs[1]), context, first, from, bytes);
      } else {
        Replace(static_cast<const int32_t*>(context.inputs[1]), context, first, from, bytes);
      }
    }
  }

  std::string Describe(const RunContext& context, uint64_t position) const override {
    return picks_.Describe(context.inputs[1], index_type_, position);
  }

 private:
  static void CopyRest(const RunContext& context, size_t first, size_t last) {
    const uint8_t* x = static_cast<const uint8_t*>(context.inputs[0]);
    uint8_t* y = static_cast<uint8_t*>(context.outputs[0]);
    if (x != y && last > first) std::memcpy(y + first, x + first, last - first);
  }

  // Bytes [from, from + bytes) of the blocks of picks [first, first + inner_).
  template <class Index>
  void Replace(const Index* indices, const RunContext& context, uint64_t first, size_t from, size_t bytes) const {
    const uint8_t* updates = static_cast<const uint8_t*>(context.inputs[2]) + from;
    uint8_t* y = static_cast<uint8_t*>(context.outputs[0]) + from;
    const size_t item_bytes = item_bytes_, block_bytes = block_bytes_;
    WithBlock(bytes, [&](const auto& block) {
      picks_.ForEach(indices, first, first + inner_, context.fault, [&](uint64_t pick, int64_t element) {
        if (element >= 0) block.Copy(y + static_cast<size_t>(element) * item_bytes, updates + pick * block_bytes);
      });
    });
  }

  Picks picks_;
  size_t item_bytes_, bytes_;
  ElementType index_type_;
  uint64_t outer_ = 1, inner_ = 1;
  size_t block_bytes_ = 0, parts_ = 1;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext&) {
  return MakeCall<PreparedScatter>("scatter", call);
}

}  // namespace

const KernelDef kernel_scatter = {"scatter", ScatterParams::Fields, Validate, Prepare};

}  // namespace lowp
