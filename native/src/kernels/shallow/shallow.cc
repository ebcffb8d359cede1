// Prepares and runs convolutions of few products.
#include "kernels/shallow/shallow.h"

#include <algorithm>
#include <cstring>

#include "kernels/gemm/call.h"
#include "kernels/gemm/pack.h"
#include "kernels/gemm/rows.h"
#include "kernels/row.h"
#include "kernels/shallow/row.h"
#include "kernels/share.h"

namespace lowp {
namespace {

constexpr size_t kMostDepth = 160;     // products of a sum
constexpr size_t kSinglePixels = 384;  // of a tile when lines are not told apart, at most
constexpr size_t kTilesPerThread = 4;

// Best first, null at the end.
const ShallowRow* const kRows[] = {
#if defined(__x86_64__)
    &shallow_f32_avx512_13x32,
    &shallow_f32_avx2_6x16,
#endif
    nullptr,
};

size_t LineBytes(const PaddedCopy& copy) { return (copy.row_bytes() + 63) & ~size_t{63}; }

// Lines of x that an output line reads, those between its taps included.
size_t WindowLines(const ShallowShape& p) { return (size_t{p.kernel_h} - 1) * p.dilation_h + 1; }

// The lines of x that the last output lines read, padded. A line's slot is its number modulo the lines of a window.
class LineRing {
 public:
  LineRing(const PaddedCopy& copy, const uint8_t* x, size_t slots, uint8_t* memory)
      : copy_(copy), x_(x), slots_(slots), held_(reinterpret_cast<size_t*>(memory)), lines_(memory + HeadBytes(slots)) {
    std::fill_n(held_, slots, kNone);
  }

  static size_t Bytes(const PaddedCopy& copy, size_t slots) { return HeadBytes(slots) + slots * LineBytes(copy); }

  // Line `line` of all padded images, one behind the other.
  const uint8_t* Line(size_t line) {
    const size_t slot = line % slots_;
    uint8_t* to = lines_ + slot * LineBytes(copy_);
    if (held_[slot] != line) {
      CopyRow(copy_, x_, line, to);
      held_[slot] = line;
    }
    return to;
  }

 private:
  static constexpr size_t kNone = SIZE_MAX;
  static size_t HeadBytes(size_t slots) { return (slots * sizeof(size_t) + 63) & ~size_t{63}; }

  const PaddedCopy& copy_;
  const uint8_t* x_;
  size_t slots_;
  size_t* held_;
  uint8_t* lines_;
};

class ShallowCall final : public PreparedCall {
 public:
  ShallowCall(const CallView& call, const ShallowShape& shape, const ShallowRow& chosen, const GemmProblem& problem,
              PackedWeights packed, EpilogueConstants epilogue, size_t threads)
      : p_(shape),
        row_(chosen),
        copy_(problem.copy),
        walk_(problem.walk),
        pixels_(problem.pixels),
        steps_(problem.depth / p_.kernel_h),
        packed_(std::move(packed)),
        epilogue_(std::move(epilogue)) {
    const Operand residual = call.Input(kResidual);
    has_residual_ = residual.present;
    single_ = p_.kernel_h == 1 && p_.kernel_w == 1 && p_.stride_h == 1 && p_.stride_w == 1 && !copy_.needed;
    row = chosen.name;
    tiles[0] = single_ ? SingleTiles(pixels_, threads) : pixels_ / p_.out_w;
    scratch_bytes = copy_.needed ? LineRing::Bytes(copy_, WindowLines(p_)) : 0;
    packed_bytes = packed_.bytes + epilogue_.bytes();
    found_bytes = packed_.weights.found_bytes();
    packed_inputs = kPackedOperands;
    operations = 2.0 * static_cast<double>(pixels_) * static_cast<double>(problem.depth) * p_.out_c;
    // A panel that ends within a vector would read what another thread writes beside it.
    const bool inplace = has_residual_ && p_.out_stride == p_.out_c && p_.out_c % chosen.lanes == 0;
    inplace_input = inplace ? static_cast<int>(kResidual) : -1;
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const uint8_t* x = static_cast<const uint8_t*>(context.inputs[kX]);
    const uint8_t* lines[kMostDepth];
    LineRing ring(copy_, x, copy_.needed ? WindowLines(p_) : 0, context.scratch);
    for (size_t tile = begin; tile < end; tile++) {
      const size_t pixel = FirstPixel(tile), image = tile / p_.out_h, top = tile % p_.out_h * p_.stride_h;
      for (size_t ky = 0; ky < p_.kernel_h; ky++) {
        const size_t line = top + ky * p_.dilation_h;
        if (copy_.needed) {
          lines[ky] = ring.Line(image * copy_.height + line);
        } else if (single_) {
          lines[ky] = x + pixel * walk_.step_x;
        } else {
          lines[ky] = x + image * walk_.step_b + line * (walk_.step_y / p_.stride_h);
        }
      }
      const size_t count = FirstPixel(tile + 1) - pixel;
      LineTask task = {lines, p_.kernel_h, steps_, walk_.step_x};
      FetchNext(x, tile, &task);
      for (const Panel& panel : packed_.panels) {
        RunPanel(context, task, panel, pixel, count);
        task.next_share = task.ahead_distance = 0;  // one panel fetches all
      }
    }
  }

  IndexRange Completes(size_t begin, size_t end) const override {
    if (p_.out_offset != 0 || p_.out_stride != p_.out_c) return {};
    return {FirstPixel(begin) * p_.out_c, FirstPixel(end) * p_.out_c};
  }

 private:
  // As many for every thread.
  static size_t SingleTiles(size_t pixels, size_t threads) {
    const size_t most = (pixels + kSinglePixels - 1) / kSinglePixels;
    if (threads == 1 || !SharesPixels(pixels, threads)) return most;
    const size_t wanted = std::max(most, std::min(kTilesPerThread * threads, pixels / kFewestPixels));
    return (wanted + threads - 1) / threads * threads;
  }

  // Tiles are output lines, or nearly equal parts of all pixels.
  size_t FirstPixel(size_t tile) const { return pixels_ * tile / tiles[0]; }

  // Sets what the task of a tile fetches: what its next pixels read or, when tiles are lines, the lines that the next
  // tile adds.
  void FetchNext(const uint8_t* x, size_t tile, LineTask* task) const {
    task->ahead = x;
    if (single_) {
      task->next_share = (task->distance << 16) / task->steps;
    } else if (tile + 1 < tiles[0]) {
      const size_t image = (tile + 1) / p_.out_h, end = (tile + 1) % p_.out_h * p_.stride_h + WindowLines(p_);
      const IndexRange lines = LinesOfX({end - std::min<size_t>(WindowLines(p_), p_.stride_h), end});
      const size_t line_bytes = copy_.needed ? copy_.in_w * copy_.in_pixel : walk_.step_y / p_.stride_h;
      task->ahead = x + image * (copy_.needed ? copy_.in_h * line_bytes : walk_.step_b) + lines.begin * line_bytes;
      task->ahead_distance = (lines.end - lines.begin) * line_bytes / p_.out_w;
    }
  }

  // Lines of an image, padded if it is copied, as lines of x.
  IndexRange LinesOfX(IndexRange lines) const {
    if (!copy_.needed) return lines;
    const auto line = [&](size_t padded) {
      const int64_t at = static_cast<int64_t>(padded) - copy_.top, end = static_cast<int64_t>(copy_.in_h);
      return static_cast<size_t>(std::clamp<int64_t>(at, 0, end));
    };
    return {line(lines.begin), line(lines.end)};
  }

  // Output pixels [pixel, pixel + count), whose taps begin at the task's lines.
  void RunPanel(const RunContext& context, const LineTask& lines, const Panel& panel, size_t pixel,
                size_t count) const {
    PanelTask task;
    task.m = count;
    task.weights = packed_.weights.get() + panel.weights;
    task.vectors = panel.vectors;
    task.n = panel.n;
    task.columns = panel.columns;
    task.epilogue = &epilogue_.view();
    task.y_stride = p_.out_stride * sizeof(float);
    task.y = static_cast<uint8_t*>(context.outputs[0]) + pixel * task.y_stride +
             (p_.out_offset + panel.n) * sizeof(float);
    if (has_residual_) {
      task.residual_stride = p_.out_c * sizeof(float);
      task.residual = static_cast<const uint8_t*>(context.inputs[kResidual]) + pixel * task.residual_stride +
                      panel.n * sizeof(float);
    }
    row_.run(lines, task);
  }

  ShallowShape p_;
  const ShallowRow& row_;
  PaddedCopy copy_;
  RowWalk walk_;
  size_t pixels_;
  size_t steps_;  // of a line's taps
  PackedWeights packed_;
  EpilogueConstants epilogue_;
  bool has_residual_ = false;
  bool single_ = false;  // each output pixel reads the input pixel of its number
};

// Dense: the taps of a line follow each other.
bool Fits(const ShallowShape& p, const GemmProblem& problem) {
  const bool image = p.in_d == 1 && p.out_d == 1 && p.kernel_d == 1 && p.groups == 1;
  const bool dense = p.kernel_w == 1 || (p.dilation_w == 1 && (problem.copy.needed || p.in_stride == p.in_c));
  return image && dense && !problem.integer && !problem.scatter.needed && problem.depth <= kMostDepth;
}

// A row of the gemm room may be forced as well.
bool ForcesGemmRow(const GemmProblem& problem, const PrepareContext& context) {
  if (!context.force_row) return false;
  RowQuery query;
  query.isa = context.isa;
  query.force_row = context.force_row;
  query.rows = problem.pixels;
  query.steps = problem.depth;
  return std::strcmp(SelectRow(query)->name, context.force_row) == 0;
}

}  // namespace

const ShallowRow* SelectShallowRow(const ShallowShape& p, const GemmProblem& problem, const PrepareContext& context) {
  if (!Fits(p, problem) || ForcesGemmRow(problem, context)) return nullptr;
  const bool single = p.kernel_h == 1 && p.kernel_w == 1 && p.stride_h == 1 && p.stride_w == 1;
  const size_t pixels = single && !problem.copy.needed ? problem.pixels : p.out_w;  // of a tile, or more
  RowChoice<ShallowRow> choice(context.force_row);
  for (const ShallowRow* const* rows = kRows; *rows; rows++) {
    const ShallowRow* row = *rows;
    if (!Includes(context.isa, row->isa) || pixels < row->least_pixels) continue;
    const size_t vectors = (p.out_c + row->lanes - 1) / row->lanes;
    const size_t weights = problem.depth * vectors * row->lanes * sizeof(float);
    if (weights <= context.l1_bytes / 3 * 2 && LineRing::Bytes(problem.copy, WindowLines(p)) <= context.l2_bytes / 4)
      choice.Offer(*row);
  }
  return choice.best();
}

Result<PreparedPtr> PrepareShallow(const CallView& call, const ShallowShape& shape, const EpilogueSettings& settings,
                                   const ShallowRow& row, const GemmProblem& problem, size_t threads) {
  GemmRow layout = {};
  layout.packing = Packing::kSingles;
  layout.lanes = row.lanes;
  layout.most_vectors = layout.thin_vectors = row.most_vectors;
  Result<PackedWeights> packed = PackWeights(problem, layout);
  if (!packed.ok()) return packed.status();
  Result<EpilogueConstants> epilogue = EpilogueConstants::Make(call, settings, shape.out_c, 0.0);
  if (!epilogue.ok()) return epilogue.status();
  return PreparedPtr(std::make_unique<ShallowCall>(call, shape, row, problem, std::move(packed.value()),
                                                   std::move(epilogue.value()), threads));
}

}  // namespace lowp
