// Checks and runs `embedding_bag` (embedding_bag.h).
#include "kernels/embedding_bag/embedding_bag.h"

#include <algorithm>

#include "kernels/flat_tiles.h"
#include "kernels/prepare_call.h"

namespace lowp {
namespace {

// Columns whose sums are on the stack.
constexpr size_t kColumns = 256;

Status Validate(const CallView& call) {
  const auto& p = call.Params<EmbeddingBagParams>();
  const Operand indices = call.Input(1), bags = call.Input(2), weights = call.Input(3);
  LOWP_REQUIRE(call.inputs.size() >= 2 && call.inputs.size() <= 4 && call.outputs.size() == 1,
               "embedding_bag: expected two to four inputs and one output");
  uint64_t table = 0, written = 0;
  LOWP_REQUIRE(CheckedProduct(&table, p.rows, p.width) && CheckedProduct(&written, p.bags, p.width) &&
                   call.Input(0).Is(ElementType::kF32, table) && call.Output(0).Is(ElementType::kF32, written),
               "embedding_bag: expected f32 table [rows, width], y [bags, width]");
  LOWP_REQUIRE(indices.present && (indices.type == ElementType::kI32 || indices.type == ElementType::kI64) &&
                   indices.elements == p.members,
               "embedding_bag: the indices must be i32[members] or i64[members]");
  LOWP_REQUIRE(!weights.present || weights.Is(ElementType::kF32, p.members),
               "embedding_bag: the weights must be f32[members]");
  LOWP_REQUIRE(p.by_member <= 1 && p.mean <= 1 && p.default_index < static_cast<int64_t>(p.rows),
               "embedding_bag: by_member and mean must be 0 or 1, default_index below rows");
  if (bags.present) {
    LOWP_REQUIRE(bags.Is(indices.type, p.by_member ? p.members : p.bags),
                 "embedding_bag: bags must be of the type of the indices, one for each bag or member");
  } else {
    LOWP_REQUIRE(!p.by_member && (p.bags > 0 ? p.members % p.bags == 0 : p.members == 0),
                 "embedding_bag: without bags the members must be a multiple of their number");
  }
  return Status();
}

// Phase 0 finds where each bag begins in an order of the members, phase 1 sums. Faults: a member, or behind the members
// the bag whose first member is out of order.
class PreparedEmbeddingBag final : public PreparedCall {
 public:
  explicit PreparedEmbeddingBag(const CallView& call)
      : p_(call.Params<EmbeddingBagParams>()),
        is_wide_(call.Input(1).type == ElementType::kI64),
        has_bags_(call.Input(2).present),
        has_weights_(call.Input(3).present) {
    phases = 2;
    tile_bags_ = std::max<size_t>(1, kFlatTile * p_.bags / std::max<size_t>(1, size_t{p_.members} * p_.width));
    tiles[1] = CeilDiv(p_.bags, tile_bags_);
    shared_bytes = (size_t{p_.bags} + 1 + p_.members) * sizeof(uint32_t);
    operations = 2.0 * p_.members * p_.width;
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    is_wide_ ? RunAs<int64_t>(context, phase, begin, end) : RunAs<int32_t>(context, phase, begin, end);
  }

  std::string Describe(const RunContext& context, uint64_t position) const override {
    return is_wide_ ? DescribeAs<int64_t>(context, position) : DescribeAs<int32_t>(context, position);
  }

 private:
  // Bag b has the members order[starts[b]] to order[starts[b + 1]].
  uint32_t* Starts(const RunContext& context) const { return reinterpret_cast<uint32_t*>(context.shared); }
  uint32_t* Order(const RunContext& context) const { return Starts(context) + p_.bags + 1; }

  static bool IsOn(int64_t index, uint32_t size) { return index >= -int64_t{size} && index < int64_t{size}; }
  static size_t PlaceOn(int64_t index, uint32_t size) { return static_cast<size_t>(index < 0 ? index + size : index); }

  template <class Index>
  void RunAs(const RunContext& context, size_t phase, size_t begin, size_t end) const {
    if (phase == 1) return SumBags<Index>(context, begin * tile_bags_, std::min<size_t>(p_.bags, end * tile_bags_));
    const Index* bags = has_bags_ ? static_cast<const Index*>(context.inputs[2]) : nullptr;
    if (p_.by_member) {
      SortMembers(context, bags);
    } else {
      for (uint32_t i = 0; i < p_.members; i++) Order(context)[i] = i;
      FindStarts(context, bags);
    }
  }

  template <class Index>
  void FindStarts(const RunContext& context, const Index* bags) const {
    uint32_t* starts = Starts(context);
    uint32_t last = 0;
    for (uint32_t b = 0; b < p_.bags; b++) {
      const int64_t start = has_bags_ ? int64_t{bags[b]} : int64_t{b} * (p_.members / p_.bags);
      if (start < last || start > p_.members) {
        context.fault->Report(uint64_t{p_.members} + b);
      } else {
        last = static_cast<uint32_t>(start);
      }
      starts[b] = last;
    }
    starts[p_.bags] = p_.members;
  }

  // Counts the members of each bag, then puts each behind those in front of it.
  template <class Index>
  void SortMembers(const RunContext& context, const Index* bags) const {
    uint32_t *starts = Starts(context), *order = Order(context);
    std::fill_n(starts, size_t{p_.bags} + 1, 0u);
    for (uint32_t i = 0; i < p_.members; i++) {
      if (IsOn(bags[i], p_.bags)) {
        starts[PlaceOn(bags[i], p_.bags)]++;
      } else {
        context.fault->Report(i);
      }
    }
    uint32_t end = 0;
    for (uint32_t b = 0; b < p_.bags; b++) starts[b] = end += starts[b];
    starts[p_.bags] = end;
    for (uint32_t i = p_.members; i-- > 0;)
      if (IsOn(bags[i], p_.bags)) order[--starts[PlaceOn(bags[i], p_.bags)]] = i;
  }

  template <class Index>
  void SumBags(const RunContext& context, size_t first, size_t last) const {
    const float* table = static_cast<const float*>(context.inputs[0]);
    const uint32_t* starts = Starts(context);
    for (size_t b = first; b < last; b++) {
      float* y = static_cast<float*>(context.outputs[0]) + b * p_.width;
      if (starts[b] < starts[b + 1]) {
        SumBag<Index>(context, Order(context) + starts[b], starts[b + 1] - starts[b], y);
      } else if (p_.default_index >= 0) {
        std::copy_n(table + static_cast<size_t>(p_.default_index) * p_.width, p_.width, y);
      } else {
        std::fill_n(y, p_.width, 0.0f);
      }
    }
  }

  template <class Index>
  void SumBag(const RunContext& context, const uint32_t* members, size_t count, float* y) const {
    const float* table = static_cast<const float*>(context.inputs[0]);
    const Index* indices = static_cast<const Index*>(context.inputs[1]);
    const float* weights = has_weights_ ? static_cast<const float*>(context.inputs[3]) : nullptr;
    const double divisor = p_.mean ? static_cast<double>(count) : 1;
    for (size_t from = 0; from < p_.width; from += kColumns) {
      const size_t columns = std::min<size_t>(kColumns, p_.width - from);
      double sums[kColumns] = {};
      for (size_t i = 0; i < count; i++) {
        const uint32_t member = members[i];
        if (!IsOn(indices[member], p_.rows)) {
          context.fault->Report(member);
          continue;
        }
        const float* row = table + PlaceOn(indices[member], p_.rows) * p_.width + from;
        const double weight = weights ? weights[member] : 1;
        for (size_t k = 0; k < columns; k++) sums[k] += weight * row[k];
      }
      for (size_t k = 0; k < columns; k++) y[from + k] = static_cast<float>(sums[k] / divisor);
    }
  }

  template <class Index>
  std::string DescribeAs(const RunContext& context, uint64_t position) const {
    const Index* indices = static_cast<const Index*>(context.inputs[1]);
    const Index* bags = has_bags_ ? static_cast<const Index*>(context.inputs[2]) : nullptr;
    const std::string members = std::to_string(p_.members);
    if (position >= p_.members) {
      const uint64_t bag = position - p_.members;
      return "bag " + std::to_string(bag) + " begins at " + std::to_string(bags[bag]) + " of " + members + " indices";
    }
    if (p_.by_member && !IsOn(bags[position], p_.bags))
      return "index " + std::to_string(position) + " is in bag " + std::to_string(bags[position]) + " of " +
             std::to_string(p_.bags);
    return "index " + std::to_string(indices[position]) + " at position " + std::to_string(position) +
           " lies outside of an axis with " + std::to_string(p_.rows) + " elements";
  }

  EmbeddingBagParams p_;
  bool is_wide_, has_bags_, has_weights_;
  size_t tile_bags_ = 1;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext&) {
  return MakeCall<PreparedEmbeddingBag>("embedding_bag", call);
}

}  // namespace

const KernelDef kernel_embedding_bag = {"embedding_bag", EmbeddingBagParams::Fields, Validate, Prepare};

}  // namespace lowp
