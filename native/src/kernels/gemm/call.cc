// Prepares and runs a matrix product with indirect rows.
#include "kernels/gemm/call.h"

#include <algorithm>

#include "kernels/gemm/even_rows.h"
#include "kernels/gemm/pack.h"
#include "kernels/gemm/rows.h"
#include "kernels/gemm/tiling.h"

namespace lowp {
namespace {

// Steps of a float panel that stay in L2 together with the rows and the panel that is fetched meanwhile. What a block
// saves in L1 costs more when the sums are suspended.
uint64_t FloatBlockSteps(const GemmRow& row, size_t l2_bytes) {
  return std::max<uint64_t>(256, l2_bytes / 4 / (size_t{row.lanes} * row.most_vectors * sizeof(float)));
}

constexpr size_t kNoPanel = SIZE_MAX;

struct GemmPlan {
  const GemmRow* row = nullptr;
  bool integer = false;
  size_t pixels = 0;  // those in gaps included
  RowWalk walk;
  PaddedCopy copy;
  Scatter scatter;
  EvenRows even;
  std::vector<Segment> segments;
  std::vector<StepBlock> blocks;
  PackedWeights packed;
  Tiling tiling;
  EpilogueConstants epilogue;
  PlacedBias bias;
  size_t epilogue_channels = 0;
  size_t y_element = 0, y_offset = 0, y_stride = 0;                // bytes, strides from one output pixel to the next
  size_t residual_element = 0, residual_stride = 0;                // bytes
  size_t streamed = 0;  // bytes of x from pixel to pixel, when they are worth fetching one block ahead; otherwise 0
};

// Bytes of a block's row pointers; gathered rows and partial sums follow them in scratch.
size_t RowTableBytes(size_t rows) { return (rows * sizeof(uint8_t*) + 63) & ~size_t{63}; }

// What the task behind a task reads first.
struct Ahead {
  const uint8_t* from = nullptr;
  size_t bytes = 0;
};

class GemmCall final : public PreparedCall {
 public:
  explicit GemmCall(GemmPlan plan) : plan_(std::move(plan)) {}

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    const uint8_t* x = static_cast<const uint8_t*>(context.inputs[kX]);
    if (plan_.copy.needed && phase == 0) {
      CopyRows(plan_.copy, x, context.shared, begin, end);
      return;
    }
    const uint8_t* base = plan_.copy.needed ? context.shared : x;
    const uint8_t** rows = reinterpret_cast<const uint8_t**>(context.scratch);
    const Tiling& t = plan_.tiling;
    const RowScope scope(*plan_.row, plan_.even.tile_rows);
    size_t filled = SIZE_MAX;
    for (size_t tile = begin; tile < end; tile++) {
      const size_t block = t.BlockOf(tile), group = t.GroupOf(tile);
      const size_t pixel = block * t.block_rows, count = std::min(t.block_rows, plan_.pixels - pixel);
      if (block != filled) {
        FillRows(base, pixel, count, rows);
        if (plan_.even.gather.needed) Gather(rows, count, context.scratch + RowTableBytes(t.block_rows));
      }
      filled = block;
      const size_t first = group * t.group_panels;
      const size_t last = std::min(first + t.group_panels, plan_.packed.panels.size());
      for (size_t p = first; p < last; p++) {
        const size_t panel = Fetched(tile, begin, end, p, last);
        RunPanel(context, p, pixel, count, panel == kNoPanel && p == 0 ? NextRows(pixel, rows) : BytesOf(panel));
      }
    }
  }

  IndexRange Completes(size_t begin, size_t end) const override {
    const Tiling& t = plan_.tiling;
    const size_t row = plan_.y_stride / plan_.y_element;
    if (t.panels_first || plan_.scatter.needed || plan_.y_offset != 0 || row != plan_.epilogue_channels) return {};
    const size_t first = (begin + t.panel_groups - 1) / t.panel_groups, last = end / t.panel_groups;
    if (last <= first) return {};
    const RowGaps& gaps = plan_.even.gaps;
    return {gaps.Stored(first * t.block_rows) * row, gaps.Stored(std::min(last * t.block_rows, plan_.pixels)) * row};
  }

 private:
  void FillRows(const uint8_t* base, size_t pixel, size_t count, const uint8_t** rows) const {
    const RowWalk& w = plan_.walk;
    size_t x = pixel % w.out_w, line = pixel / w.out_w;
    size_t y = line % w.out_h, plane = line / w.out_h;
    for (size_t i = 0; i < count; plane++, y = 0) {
      const uint8_t* first = base + plane / w.out_d * w.step_b + plane % w.out_d * w.step_z;
      for (; i < count && y < w.out_h; y++, x = 0) {
        const uint8_t* row = first + y * w.step_y;
        const size_t end = std::min(w.out_w, x + count - i), kept = std::min(end, w.back_from);
        for (const uint8_t* at = row + x * w.step_x; x < kept; x++, at += w.step_x) rows[i++] = at;
        for (; x < end; x++) rows[i++] = row + (x - w.back) * w.step_x;
      }
    }
  }

  void Gather(const uint8_t** rows, size_t count, uint8_t* to) const {
    const GatherPlan& gather = plan_.even.gather;
    plan_.row->gather({rows, count, gather.runs.data(), gather.runs.size(), to, gather.pitch});
  }

  // The panel to fetch while panel `index` of a tile that ends at `last` runs, or kNoPanel. Weights that stay in the
  // caches from one block of pixels to the next are only fetched in the first block of a thread.
  size_t Fetched(size_t tile, size_t begin, size_t end, size_t index, size_t last) const {
    const Tiling& t = plan_.tiling;
    if (t.panel_groups == 1) return tile == begin && index + 1 < last ? index + 1 : kNoPanel;
    if (index + 1 < last) return index + 1;
    if (tile + 1 == end || (t.panels_first && t.GroupOf(tile + 1) == t.GroupOf(tile))) return kNoPanel;
    return t.GroupOf(tile + 1) * t.group_panels;
  }

  // The first block of a panel's weights.
  Ahead BytesOf(size_t panel) const {
    if (panel == kNoPanel) return {};
    const Panel& next = plan_.packed.panels[panel];
    return {plan_.packed.weights.get() + next.weights, plan_.blocks[0].steps * StepBytes(next)};
  }

  // What the block of pixels behind the one at `pixel`, which has these rows, reads of x.
  Ahead NextRows(size_t pixel, const uint8_t* const* rows) const {
    const size_t next = pixel + plan_.tiling.block_rows;
    if (plan_.streamed == 0 || next >= plan_.pixels) return {};
    const size_t count = std::min(plan_.tiling.block_rows, plan_.pixels - next);
    return {rows[0] + plan_.tiling.block_rows * plan_.streamed, count * plan_.streamed};
  }

  size_t StepBytes(const Panel& panel) const { return size_t{panel.vectors} * plan_.row->lanes * 4; }

  // Scattered results are at equal distances within a line only; a bias may change within it.
  void RunPanel(const RunContext& context, size_t index, size_t pixel, size_t count, Ahead ahead) const {
    if (!plan_.scatter.needed && !plan_.bias.needed()) {
      RunRows(context, index, {0, count, plan_.even.gaps.Stored(pixel), 1, pixel}, plan_.epilogue.view(), ahead);
      return;
    }
    Epilogue epilogue = plan_.epilogue.view();
    const RowWalk& w = plan_.walk;
    const Scatter& s = plan_.scatter;
    for (size_t i = 0; i < count;) {
      const size_t x = (pixel + i) % w.out_w, line = (pixel + i) / w.out_w;
      const size_t y = line % w.out_h, plane = line / w.out_h;
      size_t run = std::min(w.out_w - x, count - i), to = pixel + i;
      if (plan_.bias.needed()) {
        run = plan_.bias.Alike(x, run);
        epilogue.bias = plan_.bias.values.data() + plan_.bias.SetOf(plane % w.out_d, y, x) * plan_.bias.pitch;
      } else {
        to = s.first + plane / w.out_d * s.step_b + plane % w.out_d * s.step_z + y * s.step_y + x * s.step_x;
      }
      RunRows(context, index, {i, run, to, s.step_x}, epilogue, i + run == count ? ahead : Ahead{});
      i += run;
    }
  }

  // Rows [first, first + count) of the block, to output pixels `pixel`, `pixel + step`, ...
  struct RowRange {
    size_t first, count, pixel, step;
    size_t gap_row = 0;  // where the first one is in the gaps
  };

  void RunRows(const RunContext& context, size_t index, const RowRange& range, const Epilogue& epilogue,
               Ahead ahead) const {
    const Panel& panel = plan_.packed.panels[index];
    PanelTask task;
    task.rows = reinterpret_cast<const uint8_t* const*>(context.scratch) + range.first;
    task.m = range.count;
    task.row_offset = panel.row_offset;
    task.initial = plan_.integer ? plan_.packed.initial.get() + panel.n : nullptr;
    task.partial = reinterpret_cast<float*>(context.scratch + RowTableBytes(plan_.tiling.block_rows));
    task.steps = &panel.steps;
    task.vectors = panel.vectors;
    task.n = panel.n;
    task.columns = panel.columns;
    task.epilogue = &epilogue;
    task.gaps = plan_.even.gaps;
    task.first_row = range.gap_row;
    task.tile_rows = plan_.even.tile_rows;
    task.y_stride = plan_.y_stride * range.step;
    task.y = static_cast<uint8_t*>(context.outputs[0]) + range.pixel * plan_.y_stride + plan_.y_offset +
             panel.n * plan_.y_element;
    task.residual_stride = plan_.residual_stride * range.step;
    if (plan_.residual_element != 0) {
      task.residual = static_cast<const uint8_t*>(context.inputs[kResidual]) + range.pixel * plan_.residual_stride +
                      panel.n * plan_.residual_element;
    }
    const uint8_t* weights = plan_.packed.weights.get() + panel.weights;
    for (size_t k = 0; k < plan_.blocks.size(); k++) {
      const StepBlock& block = plan_.blocks[k];
      task.segments = plan_.segments.data() + block.first_segment;
      task.segment_count = block.segments;
      task.weights = weights + block.first_step * StepBytes(panel);
      const bool stays = k + 1 < plan_.blocks.size();
      if (stays && ahead.bytes > 0) {
        const StepBlock& next = plan_.blocks[k + 1];
        task.next = weights + next.first_step * StepBytes(panel);
        task.next_bytes = next.steps * StepBytes(panel);
      } else {
        task.next = ahead.from;
        task.next_bytes = ahead.bytes;
      }
      task.resume = k > 0;
      task.suspend = k + 1 < plan_.blocks.size();
      plan_.row->run(task);
    }
  }

  GemmPlan plan_;
};

const GemmRow* ChooseRow(const GemmProblem& problem, const PrepareContext& context) {
  RowQuery query;
  query.isa = context.isa;
  query.integer = problem.integer;
  query.force_row = context.force_row;
  query.rows = problem.pixels;
  query.steps = problem.integer ? (problem.depth + 3) / 4 : problem.depth;
  query.grouped = problem.groups > 1;
  query.placed = problem.bias.needed();
  return SelectRow(query);
}

// Columns of partial sums, those that are not stored included.
size_t WidestPanel(const GemmPlan& plan) {
  size_t vectors = 0;
  for (const Panel& panel : plan.packed.panels) vectors = std::max<size_t>(vectors, panel.vectors);
  return vectors * plan.row->lanes;
}

void FillAddresses(const CallView& call, const GemmProblem& problem, GemmPlan* plan) {
  const size_t channels = problem.groups * problem.group_columns;
  const Operand residual = call.Input(kResidual);
  plan->y_element = SizeOf(call.Output(0).type);
  plan->y_stride = problem.out_stride * plan->y_element;
  plan->y_offset = problem.out_offset * plan->y_element;
  if (!residual.present) return;
  plan->residual_element = SizeOf(residual.type);
  plan->residual_stride = channels * plan->residual_element;
}

// Bytes of x from pixel to pixel, when x is nothing but what each pixel reads alone, is more than twice what is stored
// and does not fit into L2, so that it is worth fetching a block ahead; otherwise 0.
size_t StreamedBytes(const CallView& call, const GemmProblem& problem, const PrepareContext& context) {
  const Operand x = call.Input(kX);
  const size_t step = problem.walk.step_x, bytes = problem.pixels * step;
  const bool own = problem.runs.size() == 1 && problem.runs[0].offset == 0 && x.elements * SizeOf(x.type) == bytes;
  const bool large = context.BeyondL2(bytes) && step > 2 * problem.out_stride * SizeOf(call.Output(0).type);
  return own && large && !problem.copy.needed ? step : 0;
}

}  // namespace

Result<PreparedPtr> PrepareGemm(const CallView& call, const PrepareContext& context, const EpilogueSettings& settings,
                                GemmProblem problem) {
  GemmPlan plan;
  const double operations = 2.0 * static_cast<double>(problem.pixels) * static_cast<double>(problem.depth) *
                            static_cast<double>(problem.groups * problem.group_columns);
  plan.row = ChooseRow(problem, context);
  plan.even = PlanEvenRows(*plan.row, &problem);
  plan.integer = problem.integer;
  plan.pixels = problem.pixels;
  plan.walk = problem.walk;
  plan.copy = problem.copy;
  plan.scatter = problem.scatter;
  plan.bias = std::move(problem.bias);
  const uint64_t most_steps = problem.integer ? UINT64_MAX : FloatBlockSteps(*plan.row, context.l2_bytes);
  plan.segments = MakeSegments(problem, *plan.row, most_steps);
  plan.blocks = MakeStepBlocks(plan.segments, most_steps);
  Result<PackedWeights> packed = PackWeights(problem, *plan.row);
  if (!packed.ok()) return packed.status();
  plan.packed = std::move(packed.value());
  const size_t channels = problem.groups * problem.group_columns;
  // A placed bias differs from the call's by less than a product of 1 more a tap.
  const double most_product = (plan.bias.needed() ? 256.0 : 255.0) * 128.0;
  Result<EpilogueConstants> epilogue =
      EpilogueConstants::Make(call, settings, channels, most_product * static_cast<double>(problem.depth));
  if (!epilogue.ok()) return epilogue.status();
  plan.epilogue = std::move(epilogue.value());
  plan.epilogue_channels = channels;
  FillAddresses(call, problem, &plan);
  plan.streamed = plan.even.gather.needed ? 0 : StreamedBytes(call, problem, context);
  TilingQuery query;
  query.pixels = problem.pixels;
  query.panels = plan.packed.panels.size();
  query.packed_bytes = plan.packed.bytes;
  query.fresh_bytes = problem.fresh_bytes;
  query.operations = operations;
  query.threads = context.threads;
  query.l2_bytes = context.l2_bytes;
  query.large_blocks = plan.row->large_blocks;
  if (plan.even.whole_tiles) query.unit_rows = plan.row->most_rows / plan.row->tile_rows * plan.even.tile_rows;
  plan.tiling = ChooseTiling(query);

  const size_t phases = plan.copy.needed ? 2 : 1, tiles = plan.tiling.tiles(), copy_rows = plan.copy.rows();
  const size_t shared = plan.copy.needed ? plan.copy.bytes() + kReadSlack : 0;
  const size_t table = RowTableBytes(plan.tiling.block_rows);
  const size_t partial = plan.blocks.size() > 1 ? plan.tiling.block_rows * WidestPanel(plan) * sizeof(float) : 0;
  const size_t gathered = plan.even.gather.Bytes(plan.tiling.block_rows);
  // A panel that ends within a vector would read what another thread writes beside it.
  const bool inplace = plan.residual_element == plan.y_element && plan.residual_stride == plan.y_stride &&
                       problem.group_columns % plan.row->lanes == 0;
  const char* name = plan.row->name;
  const size_t bytes = plan.packed.bytes + plan.epilogue.bytes() + plan.bias.values.size() * sizeof(float);
  const size_t found = plan.packed.weights.found_bytes();
  auto prepared = std::make_unique<GemmCall>(std::move(plan));
  prepared->row = name;
  prepared->phases = phases;
  prepared->tiles[0] = phases == 2 ? copy_rows : tiles;
  prepared->tiles[1] = tiles;
  prepared->shared_bytes = shared;
  prepared->scratch_bytes = table + std::max(partial, gathered);
  prepared->packed_bytes = bytes;
  prepared->found_bytes = found;
  prepared->packed_inputs = kPackedOperands;
  prepared->operations = operations;
  prepared->inplace_input = inplace ? static_cast<int>(kResidual) : -1;
  return PreparedPtr(std::move(prepared));
}

}  // namespace lowp
