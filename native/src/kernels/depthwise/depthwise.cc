// Checks, prepares and runs depthwise convolutions (depthwise.h).
#include "kernels/depthwise/depthwise.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "kernels/common/epilogue_operands.h"
#include "kernels/depthwise/pack.h"
#include "kernels/depthwise/rows.h"
#include "kernels/follow.h"
#include "kernels/share.h"

namespace lowp {
namespace {

constexpr uint64_t kMaxTaps = 65536;           // keeps 255 * 128 * taps in s32
constexpr uint64_t kMaxCoordinate = 1u << 31;  // of any tap

Status RequirePositive(const char* name, uint32_t value) {
  LOWP_REQUIRE(value > 0, std::string("depthwise: ") + name + " must be positive");
  return Status();
}

Status ValidateSizes(const DepthwiseParams& p) {
  LOWP_RETURN_IF_ERROR(RequirePositive("batch", p.batch));
  LOWP_RETURN_IF_ERROR(RequirePositive("in_h", p.in_h));
  LOWP_RETURN_IF_ERROR(RequirePositive("in_w", p.in_w));
  LOWP_RETURN_IF_ERROR(RequirePositive("in_c", p.in_c));
  LOWP_RETURN_IF_ERROR(RequirePositive("out_h", p.out_h));
  LOWP_RETURN_IF_ERROR(RequirePositive("out_w", p.out_w));
  LOWP_RETURN_IF_ERROR(RequirePositive("kernel_h", p.kernel_h));
  LOWP_RETURN_IF_ERROR(RequirePositive("kernel_w", p.kernel_w));
  LOWP_RETURN_IF_ERROR(RequirePositive("stride_h", p.stride_h));
  LOWP_RETURN_IF_ERROR(RequirePositive("stride_w", p.stride_w));
  LOWP_RETURN_IF_ERROR(RequirePositive("dilation_h", p.dilation_h));
  LOWP_RETURN_IF_ERROR(RequirePositive("dilation_w", p.dilation_w));
  LOWP_REQUIRE(p.groups == p.in_c && p.out_c == p.in_c, "depthwise: groups, in_c and out_c must be equal");
  LOWP_REQUIRE(p.in_stride >= p.in_c, "depthwise: in_stride must be at least in_c");
  LOWP_REQUIRE(static_cast<uint64_t>(p.kernel_h) * p.kernel_w <= kMaxTaps,
               "depthwise: the kernel must have at most " + std::to_string(kMaxTaps) + " taps");
  LOWP_REQUIRE(p.in_zero_point <= 255, "depthwise: in_zero_point must be 0 to 255");
  LOWP_REQUIRE(p.mid <= 1, "depthwise: mid must be 0 or 1");
  return Status();
}

// Coordinates wrap in the comparison with the input's size, which needs them to stay far from 2^64.
Status ValidateReach(const char* axis, uint32_t out, uint32_t stride, uint32_t kernel, uint32_t dilation,
                     uint32_t pad) {
  const uint64_t reach = static_cast<uint64_t>(out - 1) * stride;
  const uint64_t window = static_cast<uint64_t>(kernel - 1) * dilation;
  LOWP_REQUIRE(reach < kMaxCoordinate && window < kMaxCoordinate && pad < kMaxCoordinate,
               std::string("depthwise: windows or padding along the ") + axis + " reach beyond 2^31");
  return Status();
}

Status ValidateOperands(const CallView& call, const DepthwiseParams& p) {
  OutputLayout layout;
  LOWP_REQUIRE(CheckedProduct(&layout.pixels, p.batch, p.out_h, p.out_w), "depthwise: the output is too large");
  layout.channels = p.out_c;
  layout.stride = p.out_stride;
  layout.offset = p.out_offset;
  LOWP_RETURN_IF_ERROR(ValidateEpilogue(call, layout));
  uint64_t x_elements = 0, weight_elements = 0;
  LOWP_REQUIRE(CheckedProduct(&x_elements, p.batch, p.in_h, p.in_w, p.in_stride) &&
                   CheckedProduct(&weight_elements, p.in_c, p.kernel_h, p.kernel_w),
               "depthwise: the input is too large");
  const Operand x = call.Input(kX), w = call.Input(kWeights), zero_points = call.Input(kZeroPoints);
  LOWP_RETURN_IF_ERROR(ValidateElements("depthwise: x", x, x_elements));
  LOWP_RETURN_IF_ERROR(ValidateElements("depthwise: the weights", w, weight_elements));
  if (zero_points.present) {
    LOWP_REQUIRE(x.type == ElementType::kU8, "depthwise: zero points belong to u8 x");
    LOWP_REQUIRE(zero_points.Is(ElementType::kU8, p.in_c) && zero_points.constant,
                 "depthwise: zero points must be a constant of " + std::to_string(p.in_c) + " u8");
  }
  return Status();
}

Status Validate(const CallView& call) {
  LOWP_REQUIRE(call.inputs.size() >= 2 && call.inputs.size() <= 7 && call.outputs.size() == 1,
               "depthwise: expected 2 to 7 inputs and one output");
  const DepthwiseParams& p = call.Params<DepthwiseParams>();
  LOWP_RETURN_IF_ERROR(ValidateSizes(p));
  LOWP_RETURN_IF_ERROR(ValidateReach("height", p.out_h, p.stride_h, p.kernel_h, p.dilation_h, p.pad_top));
  LOWP_RETURN_IF_ERROR(ValidateReach("width", p.out_w, p.stride_w, p.kernel_w, p.dilation_w, p.pad_left));
  return ValidateOperands(call, p);
}

DepthwiseGeometry GeometryOf(const DepthwiseParams& p) {
  return {p.in_h,     p.in_w,     p.in_stride, p.out_h,      p.out_w,      p.out_stride, p.in_c,    p.kernel_h,
          p.kernel_w, p.stride_h, p.stride_w,  p.dilation_h, p.dilation_w, p.pad_top,    p.pad_left};
}

class PreparedDepthwise final : public PreparedCall {
 public:
  PreparedDepthwise(const DepthwiseParams& p, const DepthwiseRow* chosen, EpilogueConstants epilogue,
                    DepthwiseConstants constants, const PrepareContext& context)
      : geometry_(GeometryOf(p)),
        row_(chosen),
        epilogue_(std::move(epilogue)),
        constants_(std::move(constants)),
        out_offset_(p.out_offset),
        x_size_(chosen->packing == DepthwisePacking::kPlainFloat ? sizeof(float) : 1) {
    follows_ = epilogue_.view().residual == ResidualKind::kNone &&
               context.BeyondL2(p.batch * geometry_.in_h * geometry_.in_w * geometry_.in_stride * x_size_);
    row = chosen->name;
    packed_bytes = epilogue_.bytes() + constants_.bytes;
    found_bytes = constants_.weights.found_bytes();
    if (chosen->groups == TapGroups::kSequence) {
      const size_t taps = (geometry_.taps() + 3) / 4 * 4;
      scratch_bytes = std::min(DepthwiseSegment(taps), geometry_.out_w) * taps * sizeof(void*);
    }
    operations = 2.0 * p.batch * p.out_h * p.out_w * p.out_c * static_cast<double>(geometry_.taps());
    SplitChannels(static_cast<size_t>(p.batch) * p.out_h, context);
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const Epilogue& e = epilogue_.view();
    const size_t y_size = e.u8_output ? 1 : sizeof(float);
    const size_t residual_size = e.residual == ResidualKind::kU8 ? 1 : sizeof(float);
    DepthwiseTask task;
    task.geometry = &geometry_;
    task.epilogue = &e;
    task.weights = constants_.weights.get();
    task.channels = constants_.channels.get();
    task.zero_points = constants_.zero_points.get();
    task.scratch = context.scratch;
    for (size_t tile = begin; tile < end; tile++) {
      const size_t image = tile / (geometry_.out_h * chunks_), in_image = tile % (geometry_.out_h * chunks_);
      const size_t first = in_image / (band_rows_ * chunks_) * band_rows_;
      const size_t rows = std::min(band_rows_, geometry_.out_h - first), in_band = in_image - first * chunks_;
      task.oy = first + in_band % rows;
      const size_t pixel = (image * geometry_.out_h + task.oy) * geometry_.out_w;
      task.begin = in_band / rows * chunk_channels_;
      task.end = std::min(geometry_.channels, task.begin + chunk_channels_);
      task.x = static_cast<const uint8_t*>(context.inputs[kX]) +
               image * geometry_.in_h * geometry_.in_w * geometry_.in_stride * x_size_;
      task.y = static_cast<uint8_t*>(context.outputs[0]) + (pixel * geometry_.out_stride + out_offset_) * y_size;
      if (e.residual != ResidualKind::kNone) {
        task.residual =
            static_cast<const uint8_t*>(context.inputs[kResidual]) + pixel * geometry_.channels * residual_size;
      }
      row_->run(task);
    }
  }

  IndexRange Completes(size_t begin, size_t end) const override {
    if (chunks_ != 1 || out_offset_ != 0 || geometry_.out_stride != geometry_.channels) return {};
    const size_t row = geometry_.out_w * geometry_.channels;
    return {begin * row, end * row};
  }

  IndexRange Readable(IndexRange elements) const override {
    const DepthwiseGeometry& g = geometry_;
    if (!follows_ || chunks_ != 1) return {};
    const LineWindows windows{g.in_h, g.out_h, g.stride_h, g.pad_top, (g.kernel_h - 1) * g.dilation_h + 1};
    return windows.Within(Whole(elements, g.in_w * g.in_stride), tiles[0]);
  }

 private:
  // Tiles are rows of output pixels for a chunk of whole channel blocks, consecutive tiles going down a band of the
  // image. Chunks are small enough for every thread to get its share, and for float rows to find the input rows of two
  // tiles in L2. Narrower chunks, whose rows would fit L1, read single lines far apart, which the CPU does not foresee.
  // Where products share their pixels among threads, each has a band, so that it reads what it has written.
  void SplitChannels(size_t rows, const PrepareContext& context) {
    constexpr size_t kTilesPerThread = 8;
    constexpr size_t kChunksPerThread = 2;  // where threads share the channels
    constexpr size_t kSmallestSplit = 128;  // channels; a tile of less is too short to be shared out
    const DepthwiseGeometry& g = geometry_;
    const size_t wide = row_->wide;
    size_t chunk = (g.channels + wide - 1) / wide * wide;
    if (row_->packing == DepthwisePacking::kPlainFloat) {
      const size_t window_rows = (g.kernel_h - 1) * g.dilation_h + 1 + g.stride_h;
      const size_t channel_bytes = std::min(g.in_h, window_rows) * g.in_w * sizeof(float);
      chunk = std::min(chunk, std::max(wide, context.l2_bytes / 2 / channel_bytes / wide * wide));
    }
    const bool bands = SharesPixels(rows * g.out_w, context.threads);
    if (context.threads > 1) {
      const size_t least = (kTilesPerThread * context.threads + rows - 1) / rows;
      const size_t wanted = bands ? least : std::max(least, kChunksPerThread * context.threads);
      const size_t share = (g.channels / wanted + wide - 1) / wide * wide;
      chunk = std::min(chunk, std::max(share, (kSmallestSplit + wide - 1) / wide * wide));
    }
    chunk_channels_ = chunk;
    chunks_ = (g.channels + chunk - 1) / chunk;
    tiles[0] = rows * chunks_;
    band_rows_ = bands ? (g.out_h + context.threads - 1) / context.threads : g.out_h;
  }

  DepthwiseGeometry geometry_;
  const DepthwiseRow* row_;
  EpilogueConstants epilogue_;
  DepthwiseConstants constants_;
  size_t out_offset_;
  size_t x_size_;
  bool follows_ = false;
  size_t chunk_channels_ = 0;
  size_t chunks_ = 1;
  size_t band_rows_ = 1;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  const DepthwiseParams& p = call.Params<DepthwiseParams>();
  const DepthwiseGeometry geometry = GeometryOf(p);
  const bool integer = call.Input(kX).type == ElementType::kU8;
  const double accumulator_limit = 255.0 * 128.0 * static_cast<double>(geometry.taps());
  Result<EpilogueConstants> epilogue =
      EpilogueConstants::Make(call, EpilogueSettings::Of(p), p.out_c, accumulator_limit);
  if (!epilogue.ok()) return epilogue.status();
  const Status memory(Code::kMemory, "depthwise: out of memory");
  AlignedPtr<uint8_t> zero_points;
  if (integer) {
    zero_points = AllocateAligned<uint8_t>(p.in_c);
    if (!zero_points) return memory;
    const Operand given = call.Input(kZeroPoints);
    if (given.present) {
      std::memcpy(zero_points.get(), given.constant, p.in_c);
    } else {
      std::memset(zero_points.get(), static_cast<int>(p.in_zero_point), p.in_c);
    }
  }
  const DepthwiseRow* row = SelectDepthwiseRow(geometry, integer, context.isa, context.force_row);
  DepthwiseConstants constants =
      PackDepthwise(*row, geometry, epilogue.value().view(), call.Input(kWeights).constant, zero_points.get());
  if (!constants.complete) return memory;
  PreparedPtr prepared(new (std::nothrow)
                           PreparedDepthwise(p, row, std::move(epilogue.value()), std::move(constants), context));
  if (!prepared) return memory;
  prepared->packed_inputs = kPackedOperands;
  const Operand residual = call.Input(kResidual);
  if (residual.present && residual.type == call.Output(0).type && p.out_stride == p.out_c) {
    prepared->inplace_input = kResidual;
  }
  return prepared;
}

}  // namespace

const KernelDef kernel_depthwise = {"depthwise", DepthwiseParams::Fields, Validate, Prepare};

}  // namespace lowp
