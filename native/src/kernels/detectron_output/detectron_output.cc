// Checks and runs `detectron_output` (detectron_output.h).
#include "kernels/detectron_output/detectron_output.h"

#include <algorithm>

#include "kernels/common/boxes.h"
#include "kernels/prepare_call.h"

namespace lowp {
namespace {

// A detection that suppression left.
struct Detection {
  uint32_t label, region;
  float score;
};

bool IsBetter(const Detection& a, const Detection& b) {
  if (a.score != b.score) return a.score > b.score;
  return a.region != b.region ? a.region < b.region : a.label < b.label;
}

Status Validate(const CallView& call) {
  const auto& p = call.Params<DetectronOutputParams>();
  LOWP_REQUIRE(call.inputs.size() == 3 && call.outputs.size() == 3,
               "detectron_output: expected three inputs and three outputs");
  LOWP_REQUIRE(p.regions >= 1 && p.classes >= 2 && p.max_detections >= 1, "detectron_output: expected regions and classes");
  uint64_t scores = 0, deltas = 0, memory = 0;
  LOWP_REQUIRE(CheckedProduct(&scores, p.regions, p.classes) && CheckedMul(scores, 4, &deltas) &&
                   CheckedMul(scores, sizeof(Detection), &memory),
               "detectron_output: sizes overflow");
  LOWP_REQUIRE(call.Input(0).Is(ElementType::kF32, uint64_t{p.regions} * 4) &&
                   call.Input(1).Is(ElementType::kF32, deltas) && call.Input(2).Is(ElementType::kF32, scores),
               "detectron_output: expected f32 regions [regions, 4], deltas [regions, classes, 4], scores [regions, "
               "classes]");
  LOWP_REQUIRE(call.Output(0).Is(ElementType::kF32, uint64_t{p.max_detections} * 4) &&
                   call.Output(1).Is(ElementType::kI32, p.max_detections) && call.Output(2).Is(ElementType::kF32, p.max_detections),
               "detectron_output: expected boxes f32 [most, 4], labels i32 [most], found f32 [most]");
  return Status();
}

// Phase 0: a tile for each class but 0. Phase 1 writes.
class PreparedDetectronOutput final : public PreparedCall {
 public:
  explicit PreparedDetectronOutput(const CallView& call) : p_(call.Params<DetectronOutputParams>()) {
    phases = 2;
    tiles[0] = p_.classes - 1;
    limit_ = p_.post_nms_count < 0 ? p_.regions : std::min(p_.regions, static_cast<uint32_t>(p_.post_nms_count));
    shared_bytes = tiles[0] * (sizeof(uint32_t) + limit_ * sizeof(Detection));
    scratch_bytes = p_.regions * sizeof(uint64_t) + (limit_ + 1) * sizeof(Box);
    operations = 20.0 * p_.regions * p_.classes;
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    for (size_t tile = begin; tile < end; tile++) {
      if (phase == 0) {
        Counts(context)[tile] = static_cast<uint32_t>(Detect(context, tile));
      } else {
        Write(context);
      }
    }
  }

 private:
  uint32_t* Counts(const RunContext& context) const { return reinterpret_cast<uint32_t*>(context.shared); }
  Detection* Lists(const RunContext& context) const {
    return reinterpret_cast<Detection*>(context.shared + tiles[0] * sizeof(uint32_t));
  }

  Box BoxOf(const RunContext& context, size_t region, size_t label) const {
    const float* from = static_cast<const float*>(context.inputs[0]) + 4 * region;
    const float* delta = static_cast<const float*>(context.inputs[1]) + 4 * (region * p_.classes + label);
    const Box given = {{from[0], from[1]}, {from[2], from[3]}};
    const double shift[2] = {double{delta[0]} / p_.weight_x, double{delta[1]} / p_.weight_y};
    const double growth[2] = {double{delta[2]} / p_.weight_w, double{delta[3]} / p_.weight_h};
    Box box = Refine(given, shift, growth, 1, 1, p_.max_delta_log_wh);
    for (size_t axis = 0; axis < 2; axis++) {
      // NaN stays, and no zero is negative.
      box.near[axis] = MostOf(box.near[axis], 0.0);
      box.far[axis] = MostOf(box.far[axis], 0.0);
    }
    return box;
  }

  size_t Detect(const RunContext& context, size_t list) const {
    uint64_t* keys = reinterpret_cast<uint64_t*>(context.scratch);
    Box* boxes = reinterpret_cast<Box*>(keys + p_.regions);
    const size_t label = list + 1;
    const float* regions = static_cast<const float*>(context.inputs[0]);
    const float* scores = static_cast<const float*>(context.inputs[2]) + label;
    size_t count = 0;
    for (size_t r = 0; r < p_.regions; r++) {
      const float* box = regions + 4 * r;
      const float score = scores[r * p_.classes];
      if (box[2] > box[0] && box[3] > box[1] && score > p_.score_threshold)
        keys[count++] = RankKey(score, static_cast<uint32_t>(r));
    }
    const size_t ranked = RankBest(keys, count, count);
    const Suppression suppression{p_.nms_threshold, false, 1};
    Detection* found = Lists(context) + list * limit_;
    size_t kept = 0;
    for (size_t i = 0; i < ranked && kept < limit_; i++) {
      const uint32_t region = PositionOfKey(keys[i]);
      boxes[kept] = BoxOf(context, region, label);
      if (suppression.GivesWay(boxes[kept], boxes, kept)) continue;
      found[kept++] = {static_cast<uint32_t>(label), region, scores[size_t{region} * p_.classes]};
    }
    return kept;
  }

  void Write(const RunContext& context) const {
    Detection* found = Lists(context);
    size_t count = 0;
    for (size_t list = 0; list < tiles[0]; list++) {
      const Detection* from = found + list * limit_;
      std::copy(from, from + Counts(context)[list], found + count);
      count += Counts(context)[list];
    }
    if (count > p_.max_detections) {
      std::partial_sort(found, found + p_.max_detections, found + count, IsBetter);
      count = p_.max_detections;
    }
    float* boxes = static_cast<float*>(context.outputs[0]);
    int32_t* labels = static_cast<int32_t*>(context.outputs[1]);
    float* scores = static_cast<float*>(context.outputs[2]);
    for (size_t i = 0; i < count; i++) {
      const Box box = BoxOf(context, found[i].region, found[i].label);
      for (size_t axis = 0; axis < 2; axis++) {
        boxes[4 * i + axis] = static_cast<float>(box.near[axis]);
        boxes[4 * i + 2 + axis] = static_cast<float>(box.far[axis]);
      }
      labels[i] = static_cast<int32_t>(found[i].label);
      scores[i] = found[i].score;
    }
    std::fill(boxes + 4 * count, boxes + size_t{4} * p_.max_detections, 0.0f);
    std::fill(labels + count, labels + p_.max_detections, 0);
    std::fill(scores + count, scores + p_.max_detections, 0.0f);
  }

  DetectronOutputParams p_;
  size_t limit_ = 1;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext&) {
  return MakeCall<PreparedDetectronOutput>("detectron_output", call);
}

}  // namespace

const KernelDef kernel_detectron_output = {"detectron_output", DetectronOutputParams::Fields, Validate, Prepare};

}  // namespace lowp
