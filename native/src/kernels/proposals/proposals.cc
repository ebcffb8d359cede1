// Checks and runs `proposals` (proposals.h).
#include "kernels/proposals/proposals.h"

#include <cstring>

#include "kernels/flat_tiles.h"
#include "kernels/prepare_call.h"
#include "kernels/proposals/move.h"

namespace lowp {
namespace {

// A region that suppression left.
struct Region {
  Box box;
  float score;
};

// Candidates of a tile that ranks them.
constexpr size_t kCandidates = 1024;

bool IsCount(const Operand& operand, uint64_t elements) {
  return !operand.present || operand.Is(ElementType::kI32, elements) || operand.Is(ElementType::kI64, elements);
}

Status Validate(const CallView& call) {
  const auto& p = call.Params<ProposalsParams>();
  LOWP_REQUIRE(call.inputs.size() == 4 && call.outputs.size() >= 1 && call.outputs.size() <= 4,
               "proposals: expected four inputs and one to four outputs");
  LOWP_REQUIRE(p.images >= 1 && p.anchors >= 1 && p.rows >= 1 && p.columns >= 1 && p.post_nms_top_k >= 1,
               "proposals: sizes must be positive");
  LOWP_REQUIRE(p.scaled <= 1 && p.turned <= 1 && p.clip_anchors <= 1 && p.clip_before <= 1 && p.clip_after <= 1 &&
                   p.normalized <= 1 && p.with_image <= 1 && p.packed <= 1 && p.drops_small <= 1,
               "proposals: flags must be 0 or 1");
  LOWP_REQUIRE(p.scaled ? p.size_count == 3 || p.size_count == 4 : p.size_count >= 2,
               "proposals: expected height, width and one or two scales");
  LOWP_REQUIRE(p.score_planes >= p.anchors && p.first_score <= p.score_planes - p.anchors,
               "proposals: every anchor needs a plane of scores");
  uint64_t candidates = 0, scores = 0, deltas = 0, keys = 0, sizes = 0, regions = 0, bytes = 0;
  LOWP_REQUIRE(CheckedProduct(&candidates, p.rows, p.columns, p.anchors) && candidates <= UINT32_MAX &&
                   CheckedProduct(&scores, p.images, p.score_planes, p.rows, p.columns) &&
                   CheckedProduct(&deltas, p.images, 4u, candidates) &&
                   CheckedProduct(&keys, p.images, candidates, sizeof(uint64_t)) &&
                   CheckedProduct(&sizes, p.images - 1, p.size_stride) &&
                   !__builtin_add_overflow(sizes, p.size_count, &sizes) &&
                   CheckedProduct(&regions, p.images, p.post_nms_top_k) &&
                   CheckedProduct(&bytes, regions, sizeof(Region)) && !__builtin_add_overflow(bytes, keys, &bytes),
               "proposals: sizes overflow");
  LOWP_REQUIRE(call.Input(0).Is(ElementType::kF32, scores) && call.Input(1).Is(ElementType::kF32, deltas),
               "proposals: expected scores f32 [images, score_planes, rows, columns], deltas f32 [images, 4 * anchors, "
               "rows, columns]");
  const Operand info = call.Input(2);
  LOWP_REQUIRE(info.present && info.type == ElementType::kF32 && info.elements >= sizes,
               "proposals: expected f32 sizes of every image");
  LOWP_REQUIRE(call.Input(3).Is(ElementType::kF32, p.step != 0 ? p.anchors * uint64_t{4} : candidates * 4),
               "proposals: expected boxes f32 [anchors, 4], or [rows * columns * anchors, 4] without a step");
  LOWP_REQUIRE(call.Output(0).Is(ElementType::kF32, regions * (p.with_image ? 5 : 4)),
               "proposals: expected regions f32 [images * post_nms_top_k, 4 or 5]");
  const Operand found = call.Output(1);
  LOWP_REQUIRE(!found.present || found.Is(ElementType::kF32, regions), "proposals: expected found f32 [images * post_nms_top_k]");
  LOWP_REQUIRE(IsCount(call.Output(2), p.images) && IsCount(call.Output(3), 1),
               "proposals: expected counts i32 or i64 [images], total i32 or i64 [1]");
  return Status();
}

void StoreCount(void* out, ElementType type, size_t i, size_t value) {
  if (!out) return;
  if (type == ElementType::kI64) {
    static_cast<int64_t*>(out)[i] = static_cast<int64_t>(value);
  } else {
    static_cast<int32_t*>(out)[i] = static_cast<int32_t>(value);
  }
}

// Phase 0 makes keys of candidates, a tile for every few. A tile of phase 1 ranks and suppresses those of an image.
// Phase 2 writes.
class PreparedProposals final : public PreparedCall {
 public:
  explicit PreparedProposals(const CallView& call)
      : p_(call.Params<ProposalsParams>()), count_type_(call.Output(2).type), total_type_(call.Output(3).type) {
    outputs_ = call.outputs.size();
    candidates_ = size_t{p_.rows} * p_.columns * p_.anchors;
    tiles_per_image_ = CeilDiv(candidates_, kCandidates);
    phases = 3;
    tiles[0] = p_.images * tiles_per_image_;
    tiles[1] = p_.images;
    key_bytes_ = p_.images * candidates_ * sizeof(uint64_t);
    region_bytes_ = size_t{p_.images} * p_.post_nms_top_k * sizeof(Region);
    shared_bytes = key_bytes_ + region_bytes_ + p_.images * sizeof(uint32_t);
    scratch_bytes = p_.post_nms_top_k * sizeof(Box);
    operations = 20.0 * p_.images * static_cast<double>(candidates_);
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    for (size_t tile = begin; tile < end; tile++) {
      if (phase == 0) {
        MakeKeys(context, tile / tiles_per_image_, tile % tiles_per_image_ * kCandidates);
      } else if (phase == 1) {
        Counts(context)[tile] = static_cast<uint32_t>(Take(context, tile));
      } else {
        Write(context);
      }
    }
  }

 private:
  uint64_t* Keys(const RunContext& context, size_t image) const {
    return reinterpret_cast<uint64_t*>(context.shared) + image * candidates_;
  }
  Region* Regions(const RunContext& context, size_t image) const {
    return reinterpret_cast<Region*>(context.shared + key_bytes_) + image * p_.post_nms_top_k;
  }
  uint32_t* Counts(const RunContext& context) const {
    return reinterpret_cast<uint32_t*>(context.shared + key_bytes_ + region_bytes_);
  }

  void MakeKeys(const RunContext& context, size_t image, size_t first) const {
    const Candidates candidates(p_, context, image);
    uint64_t* keys = Keys(context, image);
    const size_t last = std::min(candidates_, first + kCandidates);
    for (size_t i = first; i < last; i++) keys[i] = RankKey(CountedScore(candidates, i), static_cast<uint32_t>(i));
  }

  float CountedScore(const Candidates& candidates, size_t i) const {
    return p_.drops_small || candidates.IsLarge(candidates.Move(i)) ? candidates.ScoreOf(i) : 0;
  }

  size_t Take(const RunContext& context, size_t image) const {
    const Candidates candidates(p_, context, image);
    uint64_t* keys = Keys(context, image);
    const size_t limit = std::min<size_t>(candidates_, p_.pre_nms_top_k);
    const Suppression suppression{p_.nms_threshold, false, p_.nms_extent};
    Box* boxes = reinterpret_cast<Box*>(context.scratch);
    Region* regions = Regions(context, image);
    size_t kept = 0;
    // Mostly few are wanted of many: they are ranked as they are needed.
    for (size_t ranked = 0, next = 0; next < limit && kept < p_.post_nms_top_k; next++) {
      if (next == ranked) {
        const size_t wanted = std::min(limit - ranked, std::max<size_t>(2 * size_t{p_.post_nms_top_k}, ranked));
        ranked += RankBest(keys + ranked, candidates_ - ranked, wanted);
      }
      const size_t candidate = PositionOfKey(keys[next]);
      const Box box = candidates.Move(candidate);
      const bool is_large = candidates.IsLarge(box);
      if (p_.drops_small && !is_large) continue;
      if (suppression.GivesWay(box, boxes, kept)) continue;
      boxes[kept] = box;
      regions[kept++] = {p_.clip_after ? candidates.ClipTo(box, 0) : box,
                         p_.drops_small || is_large ? candidates.ScoreOf(candidate) : 0};
    }
    return kept;
  }

  void Write(const RunContext& context) const {
    const size_t numbers = p_.with_image ? 5 : 4, rows = size_t{p_.images} * p_.post_nms_top_k;
    float* out = static_cast<float*>(context.outputs[0]);
    float* found = outputs_ > 1 ? static_cast<float*>(context.outputs[1]) : nullptr;
    std::memset(out, 0, rows * numbers * sizeof(float));
    if (found) std::memset(found, 0, rows * sizeof(float));
    size_t total = 0;
    for (size_t image = 0; image < p_.images; image++) {
      const Candidates candidates(p_, context, image);
      const size_t count = Counts(context)[image];
      const size_t first = p_.packed ? total : image * p_.post_nms_top_k;
      for (size_t i = 0; i < count; i++) {
        const Region& region = Regions(context, image)[i];
        float* to = out + (first + i) * numbers;
        if (p_.with_image) *to++ = static_cast<float>(image);
        const double units[2] = {p_.normalized ? candidates.width() : 1, p_.normalized ? candidates.height() : 1};
        for (size_t axis = 0; axis < 2; axis++) {
          to[axis] = static_cast<float>(region.box.near[axis] / units[axis]);
          to[axis + 2] = static_cast<float>(region.box.far[axis] / units[axis]);
        }
        if (found) found[first + i] = region.score;
      }
      total += count;
      if (p_.with_image && !p_.packed && count < p_.post_nms_top_k) out[(first + count) * numbers] = -1;
      if (outputs_ > 2) StoreCount(context.outputs[2], count_type_, image, count);
    }
    if (p_.with_image && p_.packed && total < rows) out[total * numbers] = -1;
    if (outputs_ > 3) StoreCount(context.outputs[3], total_type_, 0, total);
  }

  ProposalsParams p_;
  ElementType count_type_, total_type_;
  size_t outputs_ = 1, candidates_ = 1, tiles_per_image_ = 1, key_bytes_ = 0, region_bytes_ = 0;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext&) {
  return MakeCall<PreparedProposals>("proposals", call);
}

}  // namespace

const KernelDef kernel_proposals = {"proposals", ProposalsParams::Fields, Validate, Prepare};

}  // namespace lowp
