// Checks and runs `top_k` (top_k.h): elements become keys that are ordered as whole numbers, and differ.
#include "kernels/top_k/top_k.h"

#include <algorithm>
#include <cmath>

#include "kernels/flat_tiles.h"
#include "kernels/prepare_call.h"

namespace lowp {
namespace {

// The order of values as that of whole numbers.
uint32_t RankOf(float v) {
  constexpr uint32_t kSign = 0x80000000u, kNaN = 0x7fc00000u;
  const uint32_t bits = std::isnan(v) ? kNaN : __builtin_bit_cast(uint32_t, v + 0.0f);
  return bits & kSign ? ~bits : bits | kSign;
}
uint32_t RankOf(int32_t v) { return static_cast<uint32_t>(v) ^ 0x80000000u; }

uint64_t RankOf(int64_t v) { return static_cast<uint64_t>(v) ^ (uint64_t{1} << 63); }

// A rank of 32 bits above a position.
struct NarrowKey {
  using Rank = uint32_t;
  static NarrowKey Of(Rank rank, uint32_t position) { return {static_cast<uint64_t>(rank) << 32 | position}; }
  static constexpr NarrowKey Last() { return {UINT64_MAX}; }
  uint32_t position() const { return static_cast<uint32_t>(word); }
  bool operator<(const NarrowKey& other) const { return word < other.word; }

  uint64_t word;
};

struct WideKey {
  using Rank = uint64_t;
  static WideKey Of(Rank rank, uint32_t position) { return {rank, position}; }
  static constexpr WideKey Last() { return {UINT64_MAX, UINT32_MAX}; }
  uint32_t position() const { return at; }
  bool operator<(const WideKey& other) const { return rank != other.rank ? rank < other.rank : at < other.at; }

  uint64_t rank;
  uint32_t at;
};

Status Validate(const CallView& call) {
  const TopKParams& p = call.Params<TopKParams>();
  const Operand x = call.Input(0), values = call.Output(0), indices = call.Output(1);
  LOWP_REQUIRE(call.inputs.size() == 1 && call.outputs.size() == 2 && x.present && values.present && indices.present,
               "top_k: expected one input and two outputs");
  LOWP_REQUIRE(x.type == values.type && (x.type == ElementType::kF32 || x.type == ElementType::kI32 ||
                                         x.type == ElementType::kI64),
               "top_k: x and the values must be of one type: f32, i32 or i64");
  LOWP_REQUIRE(indices.type == ElementType::kI32 || indices.type == ElementType::kI64,
               "top_k: the indices must be i32 or i64");
  LOWP_REQUIRE(p.k >= 1 && p.k <= p.size && p.size <= uint32_t{INT32_MAX}, "top_k: expected 1 <= k <= size < 2^31");
  LOWP_REQUIRE(p.largest <= 1 && p.by_index <= 1, "top_k: largest and by_index must be 0 or 1");
  uint64_t read = 0, written = 0;
  LOWP_REQUIRE(CheckedProduct(&read, p.outer, p.size, p.inner) && CheckedProduct(&written, p.outer, p.k, p.inner) &&
                   x.elements == read && values.elements == written && indices.elements == written,
               "top_k: expected x [outer, size, inner], values and indices [outer, k, inner]");
  return Status();
}

class PreparedTopK final : public PreparedCall {
 public:
  explicit PreparedTopK(const CallView& call)
      : p_(call.Params<TopKParams>()),
        type_(call.Input(0).type),
        is_wide_(call.Output(1).type == ElementType::kI64) {
    lines_ = size_t{p_.outer} * p_.inner;
    tile_lines_ = std::max<size_t>(1, kFlatTile / p_.size);
    tiles[0] = CeilDiv(lines_, tile_lines_);
    // Twice as many as are wanted: each time they are thrown out, every second one goes.
    constexpr size_t kLeastKeys = 512;
    capacity_ = std::min<size_t>(p_.size, p_.k + std::max<size_t>(p_.k, kLeastKeys));
    scratch_bytes = capacity_ * (type_ == ElementType::kI64 ? sizeof(WideKey) : sizeof(NarrowKey));
    operations = static_cast<double>(call.Input(0).elements);
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    switch (type_) {
      case ElementType::kF32: RunOn<float, NarrowKey>(context, begin, end); break;
      case ElementType::kI32: RunOn<int32_t, NarrowKey>(context, begin, end); break;
      default: RunOn<int64_t, WideKey>(context, begin, end);
    }
  }

 private:
  template <class T, class Key>
  void RunOn(const RunContext& context, size_t begin, size_t end) const {
    is_wide_ ? RunAs<T, Key, int64_t>(context, begin, end) : RunAs<T, Key, int32_t>(context, begin, end);
  }

  template <class T, class Key, class Index>
  void RunAs(const RunContext& context, size_t begin, size_t end) const {
    Key* keys = reinterpret_cast<Key*>(context.scratch);
    const size_t inner = p_.inner, k = p_.k;
    for (size_t line = begin * tile_lines_; line < std::min(lines_, end * tile_lines_); line++) {
      const size_t outer = line / inner, column = line % inner;
      const T* x = static_cast<const T*>(context.inputs[0]) + outer * p_.size * inner + column;
      Select(x, keys);
      T* values = static_cast<T*>(context.outputs[0]) + outer * k * inner + column;
      Index* indices = static_cast<Index*>(context.outputs[1]) + outer * k * inner + column;
      for (size_t i = 0; i < k; i++) {
        const uint32_t position = keys[i].position();
        values[i * inner] = x[position * inner];
        indices[i * inner] = static_cast<Index>(position);
      }
    }
  }

  // The least k keys, in the order in which they are listed: ranks above positions.
  template <class T, class Key>
  void Select(const T* x, Key* keys) const {
    using Rank = typename Key::Rank;
    const Rank flip = p_.largest ? static_cast<Rank>(~Rank{0}) : Rank{0};
    const size_t inner = p_.inner, k = p_.k;
    Key limit = Key::Last();  // keys from here on are not among the least
    size_t count = 0;
    for (uint32_t position = 0; position < p_.size; position++) {
      const Key key = Key::Of(RankOf(x[position * inner]) ^ flip, position);
      if (!(key < limit)) continue;
      keys[count++] = key;
      if (count == capacity_ && count > k) {
        std::nth_element(keys, keys + k - 1, keys + count);
        limit = keys[k - 1];
        count = k;
      }
    }
    if (count > k) std::nth_element(keys, keys + k - 1, keys + count);
    if (p_.by_index) {
      std::sort(keys, keys + k, [](const Key& a, const Key& b) { return a.position() < b.position(); });
    } else {
      std::sort(keys, keys + k);
    }
  }

  TopKParams p_;
  ElementType type_;
  bool is_wide_;  // the indices are
  size_t lines_ = 0, tile_lines_ = 1;
  size_t capacity_ = 1;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext&) {
  return MakeCall<PreparedTopK>("top_k", call);
}

}  // namespace

const KernelDef kernel_top_k = {"top_k", TopKParams::Fields, Validate, Prepare};

}  // namespace lowp
