// Checks, prepares and runs pooling (pool.h).
#include "kernels/pool/pool.h"

#include <algorithm>
#include <new>
#include <string>

#include "kernels/follow.h"
#include "kernels/pool/row.h"
#include "kernels/pool/window.h"
#include "kernels/row.h"

namespace lowp {
namespace {

constexpr uint64_t kMaxPositions = 1u << 23;  // of a window inside a u8 input: keeps 255 times that in s32

// Best first.
const PoolRow* const kRows[] = {
#if defined(__x86_64__)
    &pool_max_f32_avx512_1x64, &pool_max_u8_avx512_1x256, &pool_average_f32_avx512_1x64, &pool_average_u8_avx512_1x64,
    &pool_max_f32_avx2_1x32,   &pool_max_u8_avx2_1x128,   &pool_average_f32_avx2_1x32,   &pool_average_u8_avx2_1x32,
#endif
    &pool_max_f32_scalar_1x16, &pool_max_u8_scalar_1x16,  &pool_average_f32_scalar_1x16, &pool_average_u8_scalar_1x16,
};

const PoolRow* SelectRow(PoolKind kind, const PrepareContext& context) {
  RowChoice<PoolRow> choice(context.force_row);
  for (const PoolRow* row : kRows)
    if (row->kind == kind && Includes(context.isa, row->isa)) choice.Offer(*row);
  return choice.best();
}

Status ValidateTypes(const CallView& call, bool is_max) {
  const Operand x = call.Input(0), y = call.Output(0);
  LOWP_REQUIRE(x.present && y.present, "pool: the input and the output must be present");
  const bool f32 = x.type == ElementType::kF32 && y.type == ElementType::kF32;
  const bool u8 = x.type == ElementType::kU8 && y.type == ElementType::kU8;
  const bool u8_to_f32 = !is_max && x.type == ElementType::kU8 && y.type == ElementType::kF32;
  if (!f32 && !u8 && !u8_to_f32) {
    return Unsupported("pool: element types must be f32 to f32, u8 to u8 or, for averages, u8 to f32");
  }
  return Status();
}

Status ValidateElements(const char* name, const Operand& operand, uint32_t batch, uint32_t d, uint32_t h, uint32_t w,
                        uint32_t stride) {
  uint64_t elements = 0;
  LOWP_REQUIRE(CheckedProduct(&elements, batch, d, h, w, stride) && elements == operand.elements,
               std::string("pool: ") + name + " must have batch * depth * height * width * stride elements, found " +
                   std::to_string(operand.elements));
  return Status();
}

PoolWindow WindowOf(const PoolParams& p) {
  return {{p.in_d, p.out_d, p.kernel_d, p.stride_d, p.dilation_d, p.pad_front, p.pad_back},
          {p.in_h, p.out_h, p.kernel_h, p.stride_h, p.dilation_h, p.pad_top, p.pad_bottom},
          {p.in_w, p.out_w, p.kernel_w, p.stride_w, p.dilation_w, p.pad_left, p.pad_right}};
}

Status Validate(const CallView& call) {
  LOWP_REQUIRE(call.inputs.size() == 1 && call.outputs.size() == 1, "pool: expected one input and one output");
  const PoolParams& p = call.Params<PoolParams>();
  LOWP_REQUIRE(p.mode <= static_cast<uint32_t>(PoolMode::kAveragePadded), "pool: mode must be 0, 1 or 2");
  LOWP_RETURN_IF_ERROR(ValidateTypes(call, p.mode == static_cast<uint32_t>(PoolMode::kMax)));
  LOWP_REQUIRE(p.batch > 0 && p.channels > 0, "pool: batch and channels must be positive");
  LOWP_REQUIRE(p.in_stride >= p.channels, "pool: in_stride must be at least channels");
  LOWP_REQUIRE(p.out_offset <= p.out_stride && p.channels <= p.out_stride - p.out_offset,
               "pool: out_offset and the channels must fit out_stride");
  LOWP_REQUIRE(p.in_zero_point <= 255, "pool: in_zero_point must be 0 to 255");
  LOWP_RETURN_IF_ERROR(WindowOf(p).Validate("pool"));
  uint64_t positions = 0;
  const bool counted = CheckedProduct(&positions, std::min(p.kernel_d, p.in_d), std::min(p.kernel_h, p.in_h),
                                      std::min(p.kernel_w, p.in_w));
  LOWP_REQUIRE(call.Input(0).type != ElementType::kU8 || (counted && positions <= kMaxPositions),
               "pool: windows of u8 must have at most 2^23 positions");
  LOWP_RETURN_IF_ERROR(ValidateElements("x", call.Input(0), p.batch, p.in_d, p.in_h, p.in_w, p.in_stride));
  return ValidateElements("y", call.Output(0), p.batch, p.out_d, p.out_h, p.out_w, p.out_stride);
}

class PreparedPool final : public PreparedCall {
 public:
  PreparedPool(const PoolParams& p, const PoolRow* chosen, size_t x_size, size_t y_size, PoolSpans spans,
               const PrepareContext& context)
      : row_(chosen),
        spans_(std::move(spans)),
        channels_(p.channels),
        out_d_(p.out_d),
        out_h_(p.out_h),
        out_row_(static_cast<size_t>(p.out_w) * p.out_stride * y_size),
        out_offset_(static_cast<size_t>(p.out_offset) * y_size) {
    row = chosen->name;
    task_.out_w = p.out_w;
    task_.columns = spans_.columns.get();
    task_.in_pixel = p.in_stride * x_size;
    task_.in_row = task_.in_pixel * p.in_w;
    task_.in_plane = task_.in_row * p.in_h;
    task_.step_d = task_.in_plane * p.dilation_d;
    task_.step_h = task_.in_row * p.dilation_h;
    task_.step_w = task_.in_pixel * p.dilation_w;
    task_.out_pixel = p.out_stride * y_size;
    task_.u8_output = y_size == 1;
    task_.zero_point = static_cast<int32_t>(p.in_zero_point);
    task_.scale = p.scale;
    task_.bias = p.bias;
    volume_ = task_.in_plane * p.in_d;
    operations = static_cast<double>(p.batch) * p.out_d * p.out_h * p.out_w * p.channels *
                 (static_cast<double>(std::min(p.kernel_d, p.in_d)) * std::min(p.kernel_h, p.in_h) *
                  std::min(p.kernel_w, p.in_w));
    SplitChannels(static_cast<size_t>(p.batch) * p.out_d * p.out_h, context.threads);
    windows_ = {p.in_h, p.out_h, p.stride_h, p.pad_top, (size_t{p.kernel_h} - 1) * p.dilation_h + 1};
    line_elements_ = size_t{p.in_w} * p.in_stride;
    follows_ = chunks_ == 1 && p.in_d == 1 && p.out_d == 1 && context.BeyondL2(p.batch * volume_);
    packed_bytes = (static_cast<size_t>(p.out_d) + p.out_h + p.out_w) * sizeof(PoolSpan);
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    PoolTask task = task_;
    for (size_t tile = begin; tile < end; tile++) {
      const size_t oy = tile % out_h_, chunk = tile / out_h_ % chunks_, plane = tile / out_h_ / chunks_;
      task.plane = spans_.planes[plane % out_d_];
      task.row = spans_.rows[oy];
      task.begin = chunk * chunk_channels_;
      task.end = std::min(channels_, task.begin + chunk_channels_);
      task.x = static_cast<const uint8_t*>(context.inputs[0]) + plane / out_d_ * volume_;
      task.y = static_cast<uint8_t*>(context.outputs[0]) + (plane * out_h_ + oy) * out_row_ + out_offset_;
      row_->run(task);
    }
  }

  IndexRange Readable(IndexRange elements) const override {
    return follows_ ? windows_.Within(Whole(elements, line_elements_), tiles[0]) : IndexRange{};
  }

 private:
  // Tiles are rows of output pixels; where there are few, as in global pooling, chunks of channels.
  void SplitChannels(size_t rows, size_t threads) {
    constexpr size_t kTilesPerThread = 4;
    constexpr size_t kChunk = 256;  // channels; a multiple of every row's block
    const size_t wanted = threads > 1 ? (kTilesPerThread * threads + rows - 1) / rows : 1;
    const size_t blocks = (channels_ + kChunk - 1) / kChunk;
    chunk_channels_ = (blocks + wanted - 1) / wanted * kChunk;
    chunks_ = (channels_ + chunk_channels_ - 1) / chunk_channels_;
    tiles[0] = rows * chunks_;
  }

  const PoolRow* row_;
  PoolSpans spans_;
  PoolTask task_;
  size_t channels_, out_d_, out_h_;
  size_t out_row_, out_offset_;  // bytes
  size_t volume_ = 0;
  size_t chunk_channels_ = 0;
  size_t chunks_ = 1;
  LineWindows windows_;
  size_t line_elements_ = 0;  // of x
  bool follows_ = false;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  const PoolParams& p = call.Params<PoolParams>();
  const bool u8 = call.Input(0).type == ElementType::kU8;
  const bool is_max = p.mode == static_cast<uint32_t>(PoolMode::kMax);
  const bool count_padding = p.mode == static_cast<uint32_t>(PoolMode::kAveragePadded);
  const PoolKind kind =
      is_max ? (u8 ? PoolKind::kMaxU8 : PoolKind::kMaxF32) : (u8 ? PoolKind::kAverageU8 : PoolKind::kAverageF32);
  PoolSpans spans = WindowOf(p).Spans(count_padding);
  const Status memory(Code::kMemory, "pool: out of memory");
  if (!spans.planes || !spans.rows || !spans.columns) return memory;
  PreparedPtr prepared(new (std::nothrow) PreparedPool(p, SelectRow(kind, context), SizeOf(call.Input(0).type),
                                                       SizeOf(call.Output(0).type), std::move(spans), context));
  if (!prepared) return memory;
  return prepared;
}

}  // namespace

const KernelDef kernel_pool = {"pool", PoolParams::Fields, Validate, Prepare};

}  // namespace lowp
