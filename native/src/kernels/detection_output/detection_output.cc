// Checks and runs `detection_output` (detection_output.h).
#include "kernels/detection_output/detection_output.h"

#include <cstring>

#include "kernels/detection_output/decode.h"
#include "kernels/flat_tiles.h"
#include "kernels/prepare_call.h"

namespace lowp {
namespace {

// A box that suppression left.
struct Found {
  uint32_t label, prior;
  float score;

  bool IsBefore(const Found& other) const {
    if (score != other.score) return score > other.score;
    return prior != other.prior ? prior < other.prior : label < other.label;
  }
};

// Labels that one tile reads at a time: a cache line of confidences, while their keys stay in the second-level cache.
constexpr size_t kMostLabels = 16, kKeyBytes = 1 << 20;

bool IsOptional(const Operand& operand, uint64_t elements) {
  return !operand.present || operand.Is(ElementType::kF32, elements);
}

// Boxes that a list of ranked ones holds.
uint32_t LimitOf(const DetectionOutputParams& p) {
  return p.top_k < 0 ? p.priors : std::min(p.priors, static_cast<uint32_t>(p.top_k));
}

Status Validate(const CallView& call) {
  const DetectionOutputParams& p = call.Params<DetectionOutputParams>();
  LOWP_REQUIRE(call.inputs.size() == 5 && call.outputs.size() == 1,
               "detection_output: expected five inputs and one output");
  LOWP_REQUIRE(p.images >= 1 && p.priors >= 1 && p.classes >= 1, "detection_output: expected priors and classes");
  LOWP_REQUIRE(p.locations == 1 || p.locations == p.classes, "detection_output: expected locations = 1 or classes");
  LOWP_REQUIRE(p.normalized <= 1 && p.center_size <= 1 && p.variance_encoded <= 1 && p.clip_before <= 1 &&
                   p.clip_after <= 1 && p.by_box <= 1,
               "detection_output: flags must be 0 or 1");
  uint64_t locations = 0, confidences = 0, objects = 0, defaults = 0, rest = 0, lists = 0;
  LOWP_REQUIRE(CheckedProduct(&locations, p.images, p.priors, p.locations, 4u) &&
                   CheckedProduct(&confidences, p.images, p.priors, p.classes) &&
                   CheckedProduct(&objects, p.images, p.priors, 2u) &&
                   CheckedProduct(&defaults, p.images - 1, p.default_stride) &&
                   CheckedProduct(&rest, p.priors, (p.normalized ? 4u : 5u) + (p.variance_encoded ? 0u : 4u)) &&
                   !__builtin_add_overflow(defaults, rest, &defaults) &&
                   CheckedProduct(&lists, p.images, p.by_box ? 1u : p.classes, LimitOf(p), sizeof(Found)),
               "detection_output: sizes overflow");
  const Operand boxes = call.Input(2), y = call.Output(0);
  LOWP_REQUIRE(call.Input(0).Is(ElementType::kF32, locations) && call.Input(1).Is(ElementType::kF32, confidences),
               "detection_output: expected locations f32 [images, priors, locations, 4], confidences [images, priors, "
               "classes]");
  LOWP_REQUIRE(boxes.present && boxes.type == ElementType::kF32 && boxes.elements >= defaults,
               "detection_output: expected default boxes f32, with variances behind them");
  LOWP_REQUIRE(IsOptional(call.Input(3), objects) && IsOptional(call.Input(4), locations),
               "detection_output: expected objects f32 [images, priors, 2], moved as the locations");
  const uint64_t each = lists / sizeof(Found) / p.images;
  const uint64_t most = p.images * (p.keep_top_k < 0 ? each : std::min<uint64_t>(each, p.keep_top_k));
  LOWP_REQUIRE(y.present && y.type == ElementType::kF32 && y.elements % 7 == 0 && y.elements / 7 >= most,
               "detection_output: expected detections f32 [rows, 7] with a row for each");
  return Status();
}

// The scores of one image.
class Scores {
 public:
  Scores(const DetectionOutputParams& p, const RunContext& context, size_t image)
      : p_(p), confidences_(static_cast<const float*>(context.inputs[1]) + image * p.priors * p.classes) {
    if (context.inputs[3]) objects_ = static_cast<const float*>(context.inputs[3]) + image * p.priors * 2;
  }

  bool HasObject(size_t prior) const { return !objects_ || !(objects_[2 * prior + 1] < p_.objectness_score); }
  const float* Row(size_t prior) const { return confidences_ + prior * p_.classes; }
  float Of(size_t prior, size_t label) const {
    if (HasObject(prior)) return Row(prior)[label];
    return IsBackground(label) ? 1.0f : 0.0f;
  }
  bool IsBackground(size_t label) const { return static_cast<int64_t>(label) == p_.background; }

 private:
  const DetectionOutputParams& p_;
  const float* confidences_;
  const float* objects_ = nullptr;
};

// Phase 0 ranks and suppresses: a tile for every few labels of an image, or for an image with by_box. Phase 1 cuts and
// writes.
class PreparedDetectionOutput final : public PreparedCall {
 public:
  explicit PreparedDetectionOutput(const CallView& call)
      : p_(call.Params<DetectionOutputParams>()), limit_(LimitOf(p_)), rows_(call.Output(0).elements / 7) {
    phases = 2;
    lists_ = p_.by_box ? 1 : p_.classes;
    labels_ = std::clamp<size_t>(kKeyBytes / (sizeof(uint64_t) * p_.priors), 1, std::min<size_t>(kMostLabels, lists_));
    groups_ = CeilDiv(lists_, labels_);
    tiles[0] = p_.images * groups_;
    key_bytes_ = labels_ * p_.priors * sizeof(uint64_t);
    // Boxes that are kept; with by_box the label of every prior behind them.
    scratch_bytes = key_bytes_ + limit_ * sizeof(Box) + (p_.by_box ? p_.priors * sizeof(uint32_t) : 0);
    count_bytes_ = p_.images * lists_ * sizeof(uint32_t);
    shared_bytes = count_bytes_ + p_.images * lists_ * limit_ * sizeof(Found);
    operations = static_cast<double>(call.Input(1).elements);
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    if (phase == 1) {
      if (begin < end) Write(context);
      return;
    }
    for (size_t tile = begin; tile < end; tile++) {
      if (p_.by_box) {
        FindByBox(context, tile);
      } else {
        FindByClass(context, tile / groups_, tile % groups_ * labels_);
      }
    }
  }

 private:
  uint32_t* Counts(const RunContext& context) const { return reinterpret_cast<uint32_t*>(context.shared); }
  Found* Lists(const RunContext& context) const { return reinterpret_cast<Found*>(context.shared + count_bytes_); }
  uint64_t* Keys(const RunContext& context) const { return reinterpret_cast<uint64_t*>(context.scratch); }
  Box* Boxes(const RunContext& context) const { return reinterpret_cast<Box*>(context.scratch + key_bytes_); }

  void FindByClass(const RunContext& context, size_t image, size_t first) const {
    const Scores scores(p_, context, image);
    const size_t labels = std::min(labels_, lists_ - first);
    uint64_t* keys = Keys(context);
    size_t counts[kMostLabels] = {};
    for (size_t prior = 0; prior < p_.priors; prior++) {
      const float* row = scores.Row(prior) + first;
      const bool has_object = scores.HasObject(prior);
      for (size_t l = 0; l < labels; l++) {
        // Nearly every box is background: its keys would be the most.
        if (scores.IsBackground(first + l)) continue;
        const float score = has_object ? row[l] : 0.0f;
        if (score > p_.confidence_threshold)
          keys[l * p_.priors + counts[l]++] = RankKey(score, static_cast<uint32_t>(prior));
      }
    }
    const BoxDecoder decoder(p_, context, image);
    for (size_t l = 0; l < labels; l++) {
      const size_t label = first + l, list = image * lists_ + label;
      Found* found = Lists(context) + list * limit_;
      size_t kept = 0;
      if (!scores.IsBackground(label)) {
        const size_t ranked = RankBest(keys + l * p_.priors, counts[l], limit_);
        kept = Suppress(keys + l * p_.priors, ranked, label, decoder, Boxes(context), found);
      }
      for (size_t i = 0; i < kept; i++)
        found[i].score = scores.Of(found[i].prior, label);
      Counts(context)[list] = static_cast<uint32_t>(kept);
    }
  }

  // Every box is of the best of the classes from 1 on.
  void FindByBox(const RunContext& context, size_t image) const {
    const Scores scores(p_, context, image);
    uint64_t* keys = Keys(context);
    uint32_t* label_of = reinterpret_cast<uint32_t*>(context.scratch + key_bytes_ + limit_ * sizeof(Box));
    size_t count = 0;
    for (size_t prior = 0; prior < p_.priors; prior++) {
      float best = -1;
      label_of[prior] = 0;
      for (size_t label = 1; label < p_.classes; label++) {
        const float score = scores.IsBackground(label) ? -1.0f : scores.Of(prior, label);
        if (!(score > best)) continue;
        best = score;
        label_of[prior] = static_cast<uint32_t>(label);
      }
      if (label_of[prior] == 0 || best < p_.confidence_threshold) continue;
      keys[count++] = RankKey(best, static_cast<uint32_t>(prior));
    }
    const size_t ranked = RankBest(keys, count, limit_);
    // By label, each in the order of its ranks.
    std::sort(keys, keys + ranked, [&](uint64_t a, uint64_t b) {
      const uint32_t x = label_of[PositionOfKey(a)], y = label_of[PositionOfKey(b)];
      return x != y ? x < y : a < b;
    });
    const BoxDecoder decoder(p_, context, image);
    Found* found = Lists(context) + image * limit_;
    size_t kept = 0;
    for (size_t from = 0, to = 0; from < ranked; from = to) {
      const uint32_t label = label_of[PositionOfKey(keys[from])];
      while (to < ranked && label_of[PositionOfKey(keys[to])] == label) to++;
      kept += Suppress(keys + from, to - from, label, decoder, Boxes(context), found + kept);
    }
    for (size_t i = 0; i < kept; i++)
      found[i].score = scores.Of(found[i].prior, found[i].label);
    Counts(context)[image] = static_cast<uint32_t>(kept);
  }

  // What suppression leaves of ranked priors, without their scores.
  size_t Suppress(const uint64_t* keys, size_t ranked, size_t label, const BoxDecoder& decoder, Box* boxes,
                  Found* found) const {
    const Suppression suppression{p_.nms_threshold, false};
    size_t kept = 0;
    for (size_t i = 0; i < ranked; i++) {
      const uint32_t prior = PositionOfKey(keys[i]);
      boxes[kept] = decoder.Decode(prior, label);
      if (suppression.GivesWay(boxes[kept], boxes, kept)) continue;
      found[kept++] = {static_cast<uint32_t>(label), prior, 0};
    }
    return kept;
  }

  void Write(const RunContext& context) const {
    float* out = static_cast<float*>(context.outputs[0]);
    std::memset(out, 0, rows_ * 7 * sizeof(float));
    size_t row = 0;
    for (size_t image = 0; image < p_.images; image++) {
      Found* found = Lists(context) + image * lists_ * limit_;
      const size_t count = Cut(found, JoinLists(found, Counts(context) + image * lists_));
      const BoxDecoder decoder(p_, context, image);
      for (size_t i = 0; i < count; i++, row++) {
        const Box box = decoder.Decode(found[i].prior, found[i].label);
        const double corners[] = {box.near[0], box.near[1], box.far[0], box.far[1]};
        float* to = out + 7 * row;
        to[0] = static_cast<float>(image);
        to[1] = static_cast<float>(found[i].label - p_.by_box);
        to[2] = found[i].score;
        for (size_t c = 0; c < 4; c++)
          to[3 + c] = static_cast<float>(p_.clip_after ? BoxDecoder::Clip(corners[c]) : corners[c]);
      }
    }
    if (row < rows_) out[7 * row] = -1;
  }

  // Puts the lists of an image behind each other.
  size_t JoinLists(Found* found, const uint32_t* counts) const {
    size_t total = 0;
    for (size_t list = 0; list < lists_; list++) {
      std::memmove(found + total, found + list * limit_, counts[list] * sizeof(Found));
      total += counts[list];
    }
    return total;
  }

  // Leaves the strongest, in the order of labels.
  size_t Cut(Found* found, size_t count) const {
    if (p_.keep_top_k < 0 || count <= static_cast<uint32_t>(p_.keep_top_k)) return count;
    const size_t most = static_cast<uint32_t>(p_.keep_top_k);
    const auto before = [](const Found& a, const Found& b) { return a.IsBefore(b); };
    std::nth_element(found, found + most, found + count, before);
    std::sort(found, found + most, [&](const Found& a, const Found& b) {
      return a.label != b.label ? a.label < b.label : a.IsBefore(b);
    });
    return most;
  }

  DetectionOutputParams p_;
  size_t limit_, rows_;
  size_t lists_ = 1, labels_ = 1, groups_ = 1, key_bytes_ = 0, count_bytes_ = 0;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext&) {
  return MakeCall<PreparedDetectionOutput>("detection_output", call);
}

}  // namespace

const KernelDef kernel_detection_output = {"detection_output", DetectionOutputParams::Fields, Validate, Prepare};

}  // namespace lowp
