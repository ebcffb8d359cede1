// Checks and runs products of two computed operands: b is packed, then the rows of kernels/gemm multiply.
//
// With enough batches every tile is one batch: it packs b into its worker's scratch and multiplies while the caches
// hold it. Otherwise a first phase packs all of b, and tiles of the second are blocks of rows.
#include "kernels/batched_matmul/batched_matmul.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "base/aligned.h"
#include "kernels/batched_matmul/rows.h"
#include "kernels/common/epilogue.h"
#include "kernels/gemm/rows.h"
#include "kernels/gemm/tiling.h"
#include "kernels/prepare_call.h"

namespace lowp {
namespace {

enum BatchedOperand : size_t { kA = 0, kB = 1, kResidual = 2 };

// Rows of a block, about; steps of a float panel that stay in the caches together with the rows.
constexpr size_t kBlockRows = 192;
constexpr uint64_t kFloatBlockSteps = 256;

// One loop over elements.
struct Loop {
  uint64_t count, stride;
};

// Checks that every element at offset + sum of i_j * stride_j is inside the operand.
Status CheckRange(const char* name, const Operand& operand, uint64_t offset, const std::array<Loop, 4>& loops) {
  uint64_t last = offset;
  for (const Loop& loop : loops) {
    uint64_t span = 0;
    LOWP_REQUIRE(CheckedMul(loop.count - 1, loop.stride, &span) && !__builtin_add_overflow(last, span, &last),
                 std::string("batched_matmul: the sizes of ") + name + " overflow");
  }
  LOWP_REQUIRE(last < operand.elements, std::string("batched_matmul: ") + name + " has " +
                                            std::to_string(operand.elements) + " elements, element " +
                                            std::to_string(last) + " is addressed");
  return Status();
}

// True when the strides nest, so that no two steps meet.
bool IsInjective(std::array<Loop, 4> loops) {
  std::sort(loops.begin(), loops.end(), [](const Loop& a, const Loop& b) { return a.stride < b.stride; });
  uint64_t reach = 0;
  for (const Loop& loop : loops) {
    if (loop.count == 1) continue;
    if (loop.stride <= reach) return false;
    reach += loop.stride * (loop.count - 1);
  }
  return true;
}

Status ValidateTypes(const CallView& call) {
  const Operand a = call.Input(kA), b = call.Input(kB), residual = call.Input(kResidual), y = call.Output(0);
  LOWP_REQUIRE(a.present && b.present && y.present, "batched_matmul: a, b and y must be present");
  if (a.type != b.type || (a.type != ElementType::kF32 && a.type != ElementType::kU8) ||
      (y.type != ElementType::kF32 && y.type != ElementType::kU8))
    return Unsupported("batched_matmul: a and b must be both f32 or both u8, y must be f32 or u8");
  LOWP_REQUIRE(!residual.present || residual.type == ElementType::kU8 || residual.type == ElementType::kF32,
               "batched_matmul: the residual must be u8 or f32");
  return Status();
}

Status Validate(const CallView& call) {
  const auto& p = call.Params<BatchedMatmulParams>();
  LOWP_RETURN_IF_ERROR(ValidateTypes(call));
  LOWP_REQUIRE(p.batch0 > 0 && p.batch1 > 0 && p.m > 0 && p.k > 0 && p.n > 0, "batched_matmul: sizes must be positive");
  LOWP_REQUIRE(p.b_k == 1 || p.b_n == 1, "batched_matmul: b_k or b_n must be 1");
  LOWP_REQUIRE(p.a_zero_point <= 255 && p.b_zero_point <= 255 && p.byte_low <= 255 && p.byte_high <= 255,
               "batched_matmul: zero points and byte limits must be 0 to 255");
  uint64_t size = 0;
  LOWP_REQUIRE(CheckedProduct(&size, p.batch0, p.batch1, p.m, p.n, sizeof(float)) &&
                   CheckedProduct(&size, p.batch0, p.batch1, p.k, p.n + 64ull, sizeof(float)),
               "batched_matmul: the sizes overflow");
  const auto at = [&](uint32_t s0, uint32_t s1, Loop rows, Loop columns) {
    return std::array<Loop, 4>{{{p.batch0, s0}, {p.batch1, s1}, rows, columns}};
  };
  LOWP_RETURN_IF_ERROR(
      CheckRange("a", call.Input(kA), p.a_offset, at(p.a_batch0, p.a_batch1, {p.m, p.a_row}, {p.k, 1})));
  LOWP_RETURN_IF_ERROR(
      CheckRange("b", call.Input(kB), p.b_offset, at(p.b_batch0, p.b_batch1, {p.k, p.b_k}, {p.n, p.b_n})));
  LOWP_RETURN_IF_ERROR(
      CheckRange("y", call.Output(0), p.y_offset, at(p.y_batch0, p.y_batch1, {p.m, p.y_row}, {p.n, 1})));
  LOWP_REQUIRE(IsInjective(at(p.y_batch0, p.y_batch1, {p.m, p.y_row}, {p.n, 1})),
               "batched_matmul: the strides of y must nest, so that no element is written twice");
  if (call.Input(kResidual).present) {
    LOWP_RETURN_IF_ERROR(CheckRange("the residual", call.Input(kResidual), p.residual_offset,
                                    at(p.residual_batch0, p.residual_batch1, {p.m, p.residual_row}, {p.n, 1})));
  }
  if (call.Input(kA).type == ElementType::kU8 && p.k > kMostBatchedProducts) {
    return Unsupported("batched_matmul: k above " + std::to_string(kMostBatchedProducts) + " may overflow s32");
  }
  return Status();
}

struct ColumnPanel {
  size_t n = 0, columns = 0;
  uint32_t vectors = 0;
  size_t offset = 0;  // bytes into the packed matrix
};

// Bytes from batch to batch and from row to row of an operand.
struct Walk {
  size_t element = 0, offset = 0, batch0 = 0, batch1 = 0, row = 0;

  size_t At(size_t p, size_t q) const { return offset + p * batch0 + q * batch1; }
};

Walk WalkOf(const Operand& o, uint32_t offset, uint32_t batch0, uint32_t batch1, uint32_t row) {
  if (!o.present) return {};
  const size_t e = SizeOf(o.type);
  return {e, offset * e, batch0 * e, batch1 * e, row * e};
}

class BatchedMatmulCall final : public PreparedCall {
 public:
  Status Prepare(const CallView& call, const PrepareContext& context) {
    params_ = call.Params<BatchedMatmulParams>();
    const BatchedMatmulParams& p = params_;
    integer_ = call.Input(kA).type == ElementType::kU8;
    RowQuery query;
    query.isa = context.isa;
    query.integer = integer_;
    query.computed = true;
    query.force_row = context.force_row;
    query.rows = p.m;
    query.steps = used_steps_ = integer_ ? (p.k + 3) / 4 : p.k;
    row_ = SelectRow(query);
    row = row_->name;
    pack_ = &batched_pack_scalar;
#if defined(__x86_64__)
    if (Includes(context.isa, Isa::kAvx2)) pack_ = &batched_pack_avx2;
#endif
    a_ = WalkOf(call.Input(kA), p.a_offset, p.a_batch0, p.a_batch1, p.a_row);
    y_ = WalkOf(call.Output(0), p.y_offset, p.y_batch0, p.y_batch1, p.y_row);
    residual_ = WalkOf(call.Input(kResidual), p.residual_offset, p.residual_batch0, p.residual_batch1, p.residual_row);
    shift_ = 128 - static_cast<int32_t>(p.b_zero_point);
    needs_row_sums_ = integer_ && shift_ != 0;
    MakePanels();
    MakeBlocks();
    LOWP_RETURN_IF_ERROR(MakeEpilogue(call));
    PlanWork(context.threads);
    operations = 2.0 * static_cast<double>(batches()) * p.m * p.k * p.n;
    return Status();
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    const RowScope scope(*row_, row_->tile_rows);
    for (size_t tile = begin; tile < end; tile++) {
      if (packs_in_tile_) {
        Pack(context, tile, context.scratch);
        for (size_t row = 0; row < params_.m; row += block_rows_) Multiply(context, tile, row, context.scratch);
      } else if (phase == 0) {
        Pack(context, tile, context.shared + tile * packed_bytes_per_batch_);
      } else {
        const size_t batch = tile / blocks_per_batch_;
        Multiply(context, batch, tile % blocks_per_batch_ * block_rows_, context.shared + batch * packed_bytes_per_batch_);
      }
    }
  }

 private:
  size_t batches() const { return size_t{params_.batch0} * params_.batch1; }

  // Panels of nearly equal width, the sums that they start with behind them.
  void MakePanels() {
    const size_t lanes = row_->lanes, units = (params_.n + lanes - 1) / lanes;
    const size_t count = (units + row_->most_vectors - 1) / row_->most_vectors;
    steps_ = (used_steps_ + row_->unit_steps - 1) / row_->unit_steps * row_->unit_steps;
    size_t offset = 0, column = 0;
    for (size_t i = 0; i < count; i++) {
      ColumnPanel panel;
      panel.vectors = static_cast<uint32_t>(units / count + (i < units % count ? 1 : 0));
      panel.n = column;
      panel.columns = std::min<size_t>(panel.vectors * lanes, params_.n - column);
      panel.offset = offset;
      offset += (steps_ * panel.vectors * lanes * 4 + 63) & ~size_t{63};
      column += panel.columns;
      panels_.push_back(panel);
    }
    initial_offset_ = offset;
    packed_bytes_per_batch_ = offset + (integer_ ? (units * lanes * 4 + 63) & ~size_t{63} : 0);
  }

  void MakeBlocks() {
    const uint64_t most = integer_ ? UINT64_MAX : kFloatBlockSteps;
    for (uint64_t first = 0; first < steps_; first += std::min<uint64_t>(most, steps_))
      segments_.push_back({static_cast<int64_t>(first * 4), std::min<uint64_t>(most, steps_ - first)});
    step_blocks_ = MakeStepBlocks(segments_, most);
    const size_t blocks = (params_.m + kBlockRows - 1) / kBlockRows, tile = row_->most_rows;
    block_rows_ = std::min<size_t>(params_.m, ((params_.m + blocks - 1) / blocks + tile - 1) / tile * tile);
    blocks_per_batch_ = (params_.m + block_rows_ - 1) / block_rows_;
  }

  Status MakeEpilogue(const CallView& call) {
    const BatchedMatmulParams& p = params_;
    const size_t width = size_t{p.n} + kEpilogueSlack;
    scales_ = AllocateAligned<float>(width);
    biases_ = AllocateAligned<float>(width);
    ones_ = AllocateAligned<uint8_t>(steps_ * 4);
    bounds_ = AllocateAligned<uint8_t>(2 * width);
    if (!scales_ || !biases_ || !ones_ || !bounds_) return Status(Code::kMemory, "no memory for batched_matmul");
    for (size_t n = 0; n < width; n++) {
      scales_[n] = p.scale;
      biases_[n] = !integer_ && p.bias == 0.0f ? -0.0f : p.bias;  // acc + -0 is acc, also for acc = -0
      bounds_[n] = static_cast<uint8_t>(p.byte_low);
      bounds_[width + n] = static_cast<uint8_t>(p.byte_high);
    }
    std::memset(ones_.get(), 1, steps_ * 4);
    Epilogue& e = epilogue_;
    e.bias = biases_.get();
    e.scale = integer_ ? scales_.get() : nullptr;
    e.u8_output = call.Output(0).type == ElementType::kU8;
    if (e.u8_output && (p.byte_low > 0 || p.byte_high < 255)) {
      e.bound_low = bounds_.get();
      e.bound_high = bounds_.get() + width;
    }
    const Operand residual = call.Input(kResidual);
    if (residual.present) e.residual = residual.type == ElementType::kU8 ? ResidualKind::kU8 : ResidualKind::kF32;
    e.residual_scale = p.residual_scale;
    e.low = p.low;
    e.high = p.high;
    // The sums of columns go through the same rows, as floats: exact, being below 2^24.
    sums_ = Epilogue();
    for (size_t n = 0; n < width; n++) sums_scale_.push_back(1.0f), sums_bias_.push_back(0.0f);
    sums_.scale = sums_scale_.data();
    sums_.bias = sums_bias_.data();
    sums_.low = -__builtin_inff();
    sums_.high = __builtin_inff();
    return Status();
  }

  void PlanWork(size_t threads) {
    packs_in_tile_ = threads == 1 || batches() >= 2 * threads;
    table_bytes_ = (block_rows_ * (sizeof(uint8_t*) + sizeof(int32_t)) + 63) & ~size_t{63};
    size_t widest = 0;
    for (const ColumnPanel& panel : panels_) widest = std::max<size_t>(widest, panel.vectors * row_->lanes);
    const size_t partial = step_blocks_.size() > 1 ? block_rows_ * widest * sizeof(float) : 0;
    const size_t sums = widest * sizeof(float);
    const size_t packed = packs_in_tile_ ? packed_bytes_per_batch_ : 0;
    work_offset_ = packed;
    scratch_bytes = packed + table_bytes_ + std::max(partial, sums);
    phases = packs_in_tile_ ? 1 : 2;
    tiles[0] = batches();
    if (packs_in_tile_) return;
    tiles[1] = batches() * blocks_per_batch_;
    shared_bytes = batches() * packed_bytes_per_batch_;
  }

  // Panels of one batch's b, and with bytes the sums of the first products: -a_zero_point * sum of (b - b_zero_point).
  void Pack(const RunContext& context, size_t batch, uint8_t* packed) const {
    const BatchedMatmulParams& p = params_;
    const size_t element = integer_ ? 1 : 4;
    const size_t at = p.b_offset + batch / p.batch1 * size_t{p.b_batch0} + batch % p.batch1 * size_t{p.b_batch1};
    const uint8_t* b = static_cast<const uint8_t*>(context.inputs[kB]) + at * element;
    PackTask task;
    task.stride_k = p.b_k;
    task.stride_n = p.b_n;
    task.k = p.k;
    task.lanes = row_->lanes;
    task.alpha = p.alpha;
    task.pairs = row_->packing == Packing::kPairs;
    for (const ColumnPanel& panel : panels_) {
      task.b = b + panel.n * p.b_n * element;
      task.columns = panel.columns;
      task.vectors = panel.vectors;
      task.out = packed + panel.offset;
      if (integer_) {
        pack_->bytes(task);
        const size_t step_bytes = size_t{panel.vectors} * row_->lanes * 4;
        std::memset(task.out + used_steps_ * step_bytes, 0, (steps_ - used_steps_) * step_bytes);
        Correct(context, panel, packed);
      } else {
        pack_->floats(task);
      }
    }
  }

  void Correct(const RunContext& context, const ColumnPanel& panel, uint8_t* packed) const {
    int32_t* initial = reinterpret_cast<int32_t*>(packed + initial_offset_) + panel.n;
    const size_t width = size_t{panel.vectors} * row_->lanes;
    std::memset(initial, 0, width * sizeof(int32_t));
    const int32_t zero_point = static_cast<int32_t>(params_.a_zero_point);
    if (zero_point == 0) return;
    float* sums = reinterpret_cast<float*>(context.scratch + work_offset_ + table_bytes_);
    const uint8_t* row = ones_.get();
    PanelTask task;
    task.rows = &row;
    task.m = 1;
    task.tile_rows = row_->tile_rows;
    task.segments = segments_.data();
    task.segment_count = segments_.size();
    task.weights = packed + panel.offset;
    task.initial = initial;
    task.vectors = panel.vectors;
    task.columns = panel.columns;
    task.epilogue = &sums_;
    task.y = reinterpret_cast<uint8_t*>(sums);
    row_->run(task);
    const int32_t rest = static_cast<int32_t>(params_.k) * shift_;
    for (size_t c = 0; c < panel.columns; c++) initial[c] = -zero_point * (static_cast<int32_t>(sums[c]) + rest);
  }

  // One block of rows of a batch.
  void Multiply(const RunContext& context, size_t batch, size_t first, const uint8_t* packed) const {
    const size_t p = batch / params_.batch1, q = batch % params_.batch1;
    const size_t count = std::min(block_rows_, params_.m - first);
    uint8_t* work = context.scratch + work_offset_;
    const uint8_t** rows = reinterpret_cast<const uint8_t**>(work);
    int32_t* row_sums = reinterpret_cast<int32_t*>(work + block_rows_ * sizeof(uint8_t*));
    const uint8_t* a = static_cast<const uint8_t*>(context.inputs[kA]) + a_.At(p, q) + first * a_.row;
    for (size_t i = 0; i < count; i++, a += a_.row) {
      rows[i] = a;
      if (needs_row_sums_) row_sums[i] = shift_ * pack_->sum(a, params_.k);
    }
    PanelTask task;
    task.rows = rows;
    task.m = count;
    task.tile_rows = row_->tile_rows;
    task.partial = reinterpret_cast<float*>(work + table_bytes_);
    task.row_initial = needs_row_sums_ ? row_sums : nullptr;
    task.epilogue = &epilogue_;
    task.y_stride = y_.row;
    task.residual_stride = residual_.row;
    for (const ColumnPanel& panel : panels_) {
      task.initial = reinterpret_cast<const int32_t*>(packed + initial_offset_) + panel.n;
      task.vectors = panel.vectors;
      task.n = panel.n;
      task.columns = panel.columns;
      task.y = static_cast<uint8_t*>(context.outputs[0]) + y_.At(p, q) + first * y_.row + panel.n * y_.element;
      if (residual_.element != 0) {
        task.residual = static_cast<const uint8_t*>(context.inputs[kResidual]) + residual_.At(p, q) +
                        first * residual_.row + panel.n * residual_.element;
      }
      for (size_t s = 0; s < step_blocks_.size(); s++) {
        const StepBlock& block = step_blocks_[s];
        task.segments = segments_.data() + block.first_segment;
        task.segment_count = block.segments;
        task.weights = packed + panel.offset + block.first_step * panel.vectors * row_->lanes * 4;
        task.resume = s > 0;
        task.suspend = s + 1 < step_blocks_.size();
        row_->run(task);
      }
    }
  }

  BatchedMatmulParams params_;
  bool integer_ = false, needs_row_sums_ = false, packs_in_tile_ = true;
  int32_t shift_ = 0;  // 128 - b_zero_point
  const GemmRow* row_ = nullptr;
  const PackRows* pack_ = nullptr;
  Walk a_, y_, residual_;
  std::vector<ColumnPanel> panels_;
  std::vector<Segment> segments_;
  std::vector<StepBlock> step_blocks_;
  size_t steps_ = 0, used_steps_ = 0, initial_offset_ = 0, packed_bytes_per_batch_ = 0;
  size_t block_rows_ = 0, blocks_per_batch_ = 1, table_bytes_ = 0, work_offset_ = 0;
  Epilogue epilogue_, sums_;
  AlignedPtr<float> scales_, biases_;
  AlignedPtr<uint8_t> bounds_, ones_;
  std::vector<float> sums_scale_, sums_bias_;
};

}  // namespace

const KernelDef kernel_batched_matmul = {"batched_matmul", BatchedMatmulParams::Fields, Validate,
                                         PrepareCall<BatchedMatmulCall>};

}  // namespace lowp
