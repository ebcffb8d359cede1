// Checks and runs `non_max_suppression` (non_max_suppression.h).
#include "kernels/non_max_suppression/non_max_suppression.h"

#include <limits>

#include "kernels/common/boxes.h"
#include "kernels/flat_tiles.h"
#include "kernels/prepare_call.h"

namespace lowp {
namespace {

// A box that was taken.
struct Taken {
  uint32_t list, box;  // list = image * classes + class
  float score;
};

Status Validate(const CallView& call) {
  const NonMaxSuppressionParams& p = call.Params<NonMaxSuppressionParams>();
  LOWP_REQUIRE(call.inputs.size() == 2 && call.outputs.size() >= 1 && call.outputs.size() <= 3,
               "non_max_suppression: expected two inputs and one to three outputs");
  LOWP_REQUIRE(p.center <= 1 && p.sorted <= 1 && p.at_threshold <= 1 && p.soft_drops <= 1,
               "non_max_suppression: flags must be 0 or 1");
  LOWP_REQUIRE(p.images >= 1 && p.classes >= 1 && p.boxes >= 1 && p.most >= 1 && p.most <= p.boxes,
               "non_max_suppression: expected 1 <= most <= boxes");
  uint64_t corners = 0, scores = 0, numbers = 0, lists = 0, memory = 0;
  LOWP_REQUIRE(CheckedProduct(&corners, p.images, p.boxes, 4u) &&
                   CheckedProduct(&scores, p.images, p.classes, p.boxes) &&
                   CheckedProduct(&numbers, p.images, p.classes, p.most, 3u) &&
                   CheckedProduct(&memory, p.images, p.classes, p.most, sizeof(Taken)) &&
                   CheckedProduct(&lists, p.images, p.classes) && lists <= UINT32_MAX,
               "non_max_suppression: sizes overflow");
  LOWP_REQUIRE(call.Input(0).Is(ElementType::kF32, corners) && call.Input(1).Is(ElementType::kF32, scores),
               "non_max_suppression: expected boxes f32 [images, boxes, 4], scores f32 [images, classes, boxes]");
  const Operand indices = call.Output(0), found = call.Output(1), count = call.Output(2);
  LOWP_REQUIRE(indices.present && (indices.type == ElementType::kI32 || indices.type == ElementType::kI64) &&
                   indices.elements == numbers,
               "non_max_suppression: expected indices i32 or i64 [images * classes * most, 3]");
  LOWP_REQUIRE((!found.present || found.Is(ElementType::kF32, numbers)) && (!count.present || count.Is(indices.type, 1)),
               "non_max_suppression: expected scores f32 of the size of the indices, one count of their type");
  return Status();
}

// A heap of candidates: the highest score on top, of equal scores the lowest number.
class Queue {
  auto Below() const {
    return [scores = scores_](uint32_t a, uint32_t b) {
      return scores[a] != scores[b] ? scores[a] < scores[b] : a > b;
    };
  }

 public:
  // The candidates, and their scores, which may sink outside of the queue.
  Queue(uint32_t* candidates, const float* scores, size_t count) : heap_(candidates), scores_(scores), size_(count) {
    std::make_heap(heap_, heap_ + size_, Below());
  }
  bool empty() const { return size_ == 0; }
  uint32_t Pop() {
    std::pop_heap(heap_, heap_ + size_, Below());
    return heap_[--size_];
  }
  void Push(uint32_t candidate) {
    heap_[size_++] = candidate;
    std::push_heap(heap_, heap_ + size_, Below());
  }

 private:
  uint32_t* heap_;
  const float* scores_;
  size_t size_;
};

// Phase 0: a tile for each class of each image takes boxes. Phase 1 orders and writes them.
class PreparedNonMaxSuppression final : public PreparedCall {
 public:
  explicit PreparedNonMaxSuppression(const CallView& call)
      : p_(call.Params<NonMaxSuppressionParams>()),
        index_type_(call.Output(0).type),
        has_found_(call.Output(1).present),
        has_count_(call.Output(2).present) {
    phases = 2;
    lists_ = size_t{p_.images} * p_.classes;
    tiles[0] = lists_;
    count_bytes_ = lists_ * sizeof(uint32_t);
    shared_bytes = count_bytes_ + lists_ * p_.most * sizeof(Taken);
    // Boxes that were taken; of all candidates keys, or numbers, scores, boxes met and a heap.
    scratch_bytes = p_.most * sizeof(Box) + size_t{p_.boxes} * 4 * sizeof(uint32_t);
    operations = static_cast<double>(call.Input(1).elements);
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    if (phase == 0) {
      for (size_t list = begin; list < end; list++) {
        uint32_t* counts = reinterpret_cast<uint32_t*>(context.shared);
        counts[list] = static_cast<uint32_t>(p_.sigma > 0 ? TakeSoftly(context, list) : Take(context, list));
      }
    } else if (begin < end) {
      if (index_type_ == ElementType::kI64) {
        Write<int64_t>(context);
      } else {
        Write<int32_t>(context);
      }
    }
  }

 private:
  Taken* Lists(const RunContext& context) const { return reinterpret_cast<Taken*>(context.shared + count_bytes_); }
  const float* Scores(const RunContext& context, size_t list) const {
    return static_cast<const float*>(context.inputs[1]) + list * p_.boxes;
  }

  Box BoxAt(const RunContext& context, size_t list, size_t box) const {
    const float* from = static_cast<const float*>(context.inputs[0]) + (list / p_.classes * p_.boxes + box) * 4;
    Box b;
    for (size_t axis = 0; axis < 2; axis++) {
      const double x = from[axis], y = from[axis + 2];
      b.near[axis] = p_.center ? x - y / 2 : LeastOf(x, y);
      b.far[axis] = p_.center ? x + y / 2 : MostOf(x, y);
    }
    return b;
  }

  size_t Take(const RunContext& context, size_t list) const {
    Box* boxes = reinterpret_cast<Box*>(context.scratch);
    uint64_t* keys = reinterpret_cast<uint64_t*>(boxes + p_.most);
    const float* scores = Scores(context, list);
    size_t count = 0;
    for (uint32_t box = 0; box < p_.boxes; box++)
      if (scores[box] > p_.score_threshold) keys[count++] = RankKey(scores[box], box);
    const Suppression suppression{p_.overlap_threshold, p_.at_threshold == 1};
    Taken* taken = Lists(context) + list * p_.most;
    size_t kept = 0;
    // Mostly few are wanted of many: they are ranked as they are needed.
    for (size_t ranked = 0, next = 0; next < count && kept < p_.most; next++) {
      if (next == ranked) ranked += RankBest(keys + ranked, count - ranked, std::max<size_t>(2 * p_.most, ranked));
      const uint32_t box = PositionOfKey(keys[next]);
      boxes[kept] = BoxAt(context, list, box);
      if (suppression.GivesWay(boxes[kept], boxes, kept)) continue;
      taken[kept++] = {static_cast<uint32_t>(list), box, scores[box]};
    }
    return kept;
  }

  // A candidate whose score has sunk goes back into the queue, and meets only boxes that were taken since.
  size_t TakeSoftly(const RunContext& context, size_t list) const {
    Box* boxes = reinterpret_cast<Box*>(context.scratch);
    uint32_t* number = reinterpret_cast<uint32_t*>(boxes + p_.most);
    float* scores = reinterpret_cast<float*>(number + p_.boxes);
    uint32_t* met = number + 2 * p_.boxes;
    uint32_t* heap = number + 3 * p_.boxes;
    const float* given = Scores(context, list);
    uint32_t count = 0;
    for (uint32_t box = 0; box < p_.boxes; box++) {
      if (!(given[box] > p_.score_threshold)) continue;
      number[count] = box;
      scores[count] = given[box];
      met[count] = 0;
      heap[count] = count;
      count++;
    }
    Queue queue(heap, scores, count);
    const double factor = static_cast<float>(-0.5 / double{p_.sigma});
    const float drop_from = p_.soft_drops ? p_.overlap_threshold : std::numeric_limits<float>::infinity();
    Taken* taken = Lists(context) + list * p_.most;
    size_t kept = 0;
    while (kept < p_.most && !queue.empty()) {
      const uint32_t candidate = queue.Pop();
      float& score = scores[candidate];
      const float before = score;
      boxes[kept] = BoxAt(context, list, number[candidate]);
      bool dropped = false;
      for (size_t k = kept; k-- > met[candidate] && !dropped;) {
        const float shared = OverlapOf(boxes[kept], boxes[k]);
        score *= static_cast<float>(ExponentialOf(factor * shared * shared));
        dropped = shared >= drop_from || !(score > p_.score_threshold);
      }
      met[candidate] = static_cast<uint32_t>(kept);
      if (dropped) continue;
      if (score == before) {
        taken[kept++] = {static_cast<uint32_t>(list), number[candidate], score};
      } else {
        queue.Push(candidate);
      }
    }
    return kept;
  }

  template <class Index>
  void Write(const RunContext& context) const {
    Taken* taken = Lists(context);
    const uint32_t* counts = reinterpret_cast<const uint32_t*>(context.shared);
    size_t total = 0;
    for (size_t list = 0; list < lists_; list++) {
      std::copy(taken + list * p_.most, taken + list * p_.most + counts[list], taken + total);
      total += counts[list];
    }
    if (p_.sorted) {
      std::sort(taken, taken + total, [](const Taken& a, const Taken& b) {
        if (a.score != b.score) return a.score > b.score;
        return a.list != b.list ? a.list < b.list : a.box < b.box;
      });
    }
    const size_t rows = lists_ * p_.most;
    Index* indices = static_cast<Index*>(context.outputs[0]);
    float* found = has_found_ ? static_cast<float*>(context.outputs[1]) : nullptr;
    for (size_t i = 0; i < total; i++) {
      const uint32_t image = taken[i].list / p_.classes, label = taken[i].list % p_.classes;
      indices[3 * i] = static_cast<Index>(image);
      indices[3 * i + 1] = static_cast<Index>(label);
      indices[3 * i + 2] = static_cast<Index>(taken[i].box);
      if (!found) continue;
      found[3 * i] = static_cast<float>(image);
      found[3 * i + 1] = static_cast<float>(label);
      found[3 * i + 2] = taken[i].score;
    }
    std::fill(indices + 3 * total, indices + 3 * rows, static_cast<Index>(-1));
    if (found) std::fill(found + 3 * total, found + 3 * rows, 0.0f);
    if (has_count_) *static_cast<Index*>(context.outputs[2]) = static_cast<Index>(total);
  }

  NonMaxSuppressionParams p_;
  ElementType index_type_;
  bool has_found_, has_count_;
  size_t lists_ = 1, count_bytes_ = 0;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext&) {
  return MakeCall<PreparedNonMaxSuppression>("non_max_suppression", call);
}

}  // namespace

const KernelDef kernel_non_max_suppression = {"non_max_suppression", NonMaxSuppressionParams::Fields, Validate, Prepare};

}  // namespace lowp
