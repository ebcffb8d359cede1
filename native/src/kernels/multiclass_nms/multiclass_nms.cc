// Checks and runs `multiclass_nms` (multiclass_nms.h).
#include "kernels/multiclass_nms/multiclass_nms.h"

#include "kernels/common/boxes.h"
#include "kernels/prepare_call.h"

namespace lowp {
namespace {

enum Decay : uint32_t { kGreedy = 0, kLinear = 1, kGaussian = 2 };
enum Order : uint32_t { kByScore = 0, kByClass = 1, kAllByScore = 2, kAllByClass = 3 };

// A box that was taken.
struct Taken {
  uint32_t image, label, box;
  float score;
};

bool IsBetter(const Taken& a, const Taken& b) {
  if (a.score != b.score) return a.score > b.score;
  if (a.image != b.image) return a.image < b.image;
  return a.label != b.label ? a.label < b.label : a.box < b.box;
}

bool IsOfLowerClass(const Taken& a, const Taken& b) {
  if (a.label != b.label) return a.label < b.label;
  if (a.image != b.image) return a.image < b.image;
  return a.score != b.score ? a.score > b.score : a.box < b.box;
}

// Boxes of a class that are ranked.
uint32_t LimitOf(const MulticlassNmsParams& p) {
  return p.top_k < 0 ? p.boxes : std::min(p.boxes, static_cast<uint32_t>(p.top_k));
}

bool IsClass(const MulticlassNmsParams& p, size_t label) { return static_cast<int64_t>(label) != p.background; }

Status Validate(const CallView& call) {
  const auto& p = call.Params<MulticlassNmsParams>();
  LOWP_REQUIRE(call.inputs.size() == 2 && call.outputs.size() == 4,
               "multiclass_nms: expected two inputs and four outputs");
  LOWP_REQUIRE(p.images >= 1 && p.classes >= 1 && p.boxes >= 1, "multiclass_nms: sizes must be positive");
  LOWP_REQUIRE(p.decay <= kGaussian && p.order <= kAllByClass, "multiclass_nms: expected decay 0 to 2, order 0 to 3");
  uint64_t corners = 0, scores = 0, lists = 0, memory = 0;
  LOWP_REQUIRE(CheckedProduct(&corners, p.images, p.boxes, 4u) &&
                   CheckedProduct(&scores, p.images, p.classes, p.boxes) &&
                   CheckedProduct(&lists, p.images, p.classes) && lists <= UINT32_MAX &&
                   CheckedProduct(&memory, lists, LimitOf(p), sizeof(Taken)),
               "multiclass_nms: sizes overflow");
  LOWP_REQUIRE(call.Input(0).Is(ElementType::kF32, corners) && call.Input(1).Is(ElementType::kF32, scores),
               "multiclass_nms: expected boxes f32 [images, boxes, 4], scores f32 [images, classes, boxes]");
  const uint64_t classes = p.classes - (p.background >= 0 && static_cast<uint32_t>(p.background) < p.classes ? 1 : 0);
  const uint64_t each = classes * LimitOf(p);
  const uint64_t most = p.images * (p.keep_top_k < 0 ? each : std::min<uint64_t>(each, static_cast<uint32_t>(p.keep_top_k)));
  const Operand rows = call.Output(0), indices = call.Output(1);
  LOWP_REQUIRE(rows.present && rows.type == ElementType::kF32 && rows.elements % 6 == 0 && rows.elements / 6 >= most,
               "multiclass_nms: expected f32 [rows, 6] with a row for each box that may remain");
  LOWP_REQUIRE(indices.type != ElementType::kI32 || corners / 4 <= uint64_t{INT32_MAX},
               "multiclass_nms: the boxes of all images do not fit i32 indices");
  LOWP_REQUIRE((indices.type == ElementType::kI32 || indices.type == ElementType::kI64) &&
                   indices.Is(indices.type, rows.elements / 6) && call.Output(2).Is(indices.type, p.images) &&
                   call.Output(3).Is(indices.type, 1),
               "multiclass_nms: expected indices i32 or i64 [rows], counts [images] and total [1] of their type");
  return Status();
}

// Phase 0: a tile for each class of each image takes boxes. Phase 1: a tile for each image keeps the best. Phase 2 writes.
class PreparedMulticlassNms final : public PreparedCall {
 public:
  explicit PreparedMulticlassNms(const CallView& call)
      : p_(call.Params<MulticlassNmsParams>()),
        limit_(LimitOf(p_)),
        rows_(call.Output(0).elements / 6),
        index_type_(call.Output(1).type) {
    lists_ = size_t{p_.images} * p_.classes;
    phases = 3;
    tiles[0] = lists_;
    tiles[1] = p_.images;
    count_bytes_ = (lists_ + p_.images) * sizeof(uint32_t);
    shared_bytes = count_bytes_ + lists_ * limit_ * sizeof(Taken);
    // Keys of all boxes; of ranked ones corners and, where scores sink, the largest overlaps.
    scratch_bytes = p_.boxes * sizeof(uint64_t) + limit_ * (sizeof(Box) + sizeof(double));
    operations = static_cast<double>(call.Input(1).elements);
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    for (size_t tile = begin; tile < end; tile++) {
      if (phase == 0) {
        Counts(context)[tile] = IsClass(p_, tile % p_.classes) ? static_cast<uint32_t>(TakeClass(context, tile)) : 0;
      } else if (phase == 1) {
        Kept(context)[tile] = static_cast<uint32_t>(KeepBest(context, tile));
      } else if (index_type_ == ElementType::kI64) {
        Write<int64_t>(context);
      } else {
        Write<int32_t>(context);
      }
    }
  }

 private:
  uint32_t* Counts(const RunContext& context) const { return reinterpret_cast<uint32_t*>(context.shared); }
  uint32_t* Kept(const RunContext& context) const { return Counts(context) + lists_; }
  Taken* Lists(const RunContext& context) const { return reinterpret_cast<Taken*>(context.shared + count_bytes_); }
  const float* CornersOf(const RunContext& context, size_t image, size_t box) const {
    return static_cast<const float*>(context.inputs[0]) + (image * p_.boxes + box) * 4;
  }

  size_t TakeClass(const RunContext& context, size_t list) const {
    uint64_t* keys = reinterpret_cast<uint64_t*>(context.scratch);
    Box* boxes = reinterpret_cast<Box*>(keys + p_.boxes);
    const float* scores = static_cast<const float*>(context.inputs[1]) + list * p_.boxes;
    size_t count = 0;
    for (uint32_t box = 0; box < p_.boxes; box++)
      if (p_.decay == kGreedy ? scores[box] >= p_.score_threshold : scores[box] > p_.score_threshold)
        keys[count++] = RankKey(scores[box], box);
    const size_t ranked = RankBest(keys, count, limit_);
    const size_t image = list / p_.classes;
    Taken* taken = Lists(context) + list * limit_;
    for (size_t i = 0; i < ranked; i++) {
      const uint32_t box = PositionOfKey(keys[i]);
      taken[i] = {static_cast<uint32_t>(image), static_cast<uint32_t>(list % p_.classes), box, scores[box]};
    }
    return p_.decay == kGreedy ? Suppress(context, image, taken, ranked, boxes)
                               : Lower(context, image, taken, ranked, boxes, reinterpret_cast<double*>(boxes + limit_));
  }

  Box BoxOf(const RunContext& context, size_t image, size_t box, double behind) const {
    const float* from = CornersOf(context, image, box);
    return {{from[0], from[1]}, {from[2] + behind, from[3] + behind}};
  }

  // Leaves those that stay in front.
  size_t Suppress(const RunContext& context, size_t image, Taken* taken, size_t ranked, Box* boxes) const {
    Suppression suppression{p_.threshold, true};
    size_t kept = 0;
    for (size_t i = 0; i < ranked; i++) {
      boxes[kept] = BoxOf(context, image, taken[i].box, p_.extent);
      if (suppression.GivesWay(boxes[kept], boxes, kept)) continue;
      taken[kept++] = taken[i];
      if (p_.eta < 1 && suppression.threshold > 0.5f)
        suppression.threshold = static_cast<float>(double{suppression.threshold} * p_.eta);
    }
    return kept;
  }

  double DecayOf(double shared, double most) const {
    if (p_.decay == kGaussian) return ExponentialOf((most * most - shared * shared) * p_.sigma);
    return (1 - shared) / (1 - most + 1e-10);
  }

  size_t Lower(const RunContext& context, size_t image, Taken* taken, size_t ranked, Box* boxes, double* most) const {
    size_t kept = 0;
    for (size_t i = 0; i < ranked; i++) {
      boxes[i] = BoxOf(context, image, taken[i].box, 0);
      most[i] = 0;
      double least = 1;
      for (size_t j = 0; j < i; j++) {
        const double shared = ExactOverlapOf(boxes[i], boxes[j], p_.extent);
        most[i] = MostOf(most[i], shared);
        least = LeastOf(least, DecayOf(shared, most[j]));
      }
      const float score = static_cast<float>(double{taken[i].score} * least);
      if (!(score > p_.threshold)) continue;
      taken[kept] = taken[i];
      taken[kept++].score = score;
    }
    return kept;
  }

  // Puts the lists of an image behind each other, and leaves the best in front.
  size_t KeepBest(const RunContext& context, size_t image) const {
    Taken* all = Lists(context) + image * p_.classes * limit_;
    size_t count = 0;
    for (size_t label = 0; label < p_.classes; label++) {
      const Taken* from = all + label * limit_;
      const uint32_t own = Counts(context)[image * p_.classes + label];
      std::copy(from, from + own, all + count);
      count += own;
    }
    const size_t most = p_.keep_top_k < 0 ? count : std::min(count, size_t{static_cast<uint32_t>(p_.keep_top_k)});
    std::partial_sort(all, all + most, all + count, IsBetter);
    if (p_.order == kByClass) std::sort(all, all + most, IsOfLowerClass);
    return most;
  }

  template <class Index>
  void Write(const RunContext& context) const {
    Taken* all = Lists(context);
    Index* counts = static_cast<Index*>(context.outputs[2]);
    size_t total = 0;
    for (size_t image = 0; image < p_.images; image++) {
      const uint32_t kept = Kept(context)[image];
      const Taken* from = all + image * p_.classes * limit_;
      std::copy(from, from + kept, all + total);
      counts[image] = static_cast<Index>(kept);
      total += kept;
    }
    if (p_.order == kAllByScore) std::sort(all, all + total, IsBetter);
    if (p_.order == kAllByClass) std::sort(all, all + total, IsOfLowerClass);
    float* rows = static_cast<float*>(context.outputs[0]);
    Index* indices = static_cast<Index*>(context.outputs[1]);
    for (size_t i = 0; i < total; i++) {
      const float* corners = CornersOf(context, all[i].image, all[i].box);
      rows[6 * i] = static_cast<float>(all[i].label);
      rows[6 * i + 1] = all[i].score;
      std::copy(corners, corners + 4, rows + 6 * i + 2);
      indices[i] = static_cast<Index>(size_t{all[i].image} * p_.boxes + all[i].box);
    }
    std::fill(rows + 6 * total, rows + 6 * rows_, 0.0f);
    std::fill(indices + total, indices + rows_, Index{0});
    *static_cast<Index*>(context.outputs[3]) = static_cast<Index>(total);
  }

  MulticlassNmsParams p_;
  size_t limit_, rows_;
  ElementType index_type_;
  size_t lists_ = 1, count_bytes_ = 0;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext&) {
  return MakeCall<PreparedMulticlassNms>("multiclass_nms", call);
}

}  // namespace

const KernelDef kernel_multiclass_nms = {"multiclass_nms", MulticlassNmsParams::Fields, Validate, Prepare};

}  // namespace lowp
