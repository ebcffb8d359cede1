// Validation and preparation of the transposed convolution kernel: one matrix product for each output phase.
#include "kernels/transposed_convolution/transposed_convolution.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/gemm/call.h"
#include "kernels/transposed_convolution/phases.h"

namespace lowp {
namespace {

constexpr uint64_t kMaxCoordinate = 1u << 30;  // of any position or tap
constexpr uint64_t kMostPhases = 4096;

Status ValidateSizes(const TransposedConvolutionParams& p) {
  for (uint32_t size : {p.batch, p.in_d, p.in_h, p.in_w, p.in_c, p.out_d, p.out_h, p.out_w, p.out_c, p.kernel_d,
                        p.kernel_h, p.kernel_w, p.stride_d, p.stride_h, p.stride_w, p.dilation_d, p.dilation_h,
                        p.dilation_w, p.groups}) {
    LOWP_REQUIRE(size > 0, "sizes, strides, dilations and groups must be positive");
  }
  LOWP_REQUIRE(p.in_stride >= p.in_c, "in_stride must not be less than in_c");
  LOWP_REQUIRE(p.in_c % p.groups == 0 && p.out_c % p.groups == 0, "groups must divide in_c and out_c");
  LOWP_REQUIRE(p.in_zero_point <= 255, "in_zero_point must be 0 to 255");
  LOWP_REQUIRE(p.mid <= 1, "mid must be 0 or 1");
  return Status();
}

Status ValidateCounts(const CallView& call, const TransposedConvolutionParams& p, OutputLayout* layout) {
  uint64_t pixels = 0, x = 0, weights = 0;
  LOWP_REQUIRE(CheckedProduct(&pixels, p.batch, p.out_d, p.out_h, p.out_w) &&
                   CheckedProduct(&x, p.batch, p.in_d, p.in_h, p.in_w, p.in_stride, sizeof(float)) &&
                   CheckedProduct(&weights, p.in_c, p.out_c / p.groups, p.kernel_d, p.kernel_h, p.kernel_w,
                                  sizeof(float)),
               "the sizes are too large");
  LOWP_RETURN_IF_ERROR(ValidateElements("x", call.Input(kX), x / sizeof(float)));
  LOWP_RETURN_IF_ERROR(ValidateElements("weights", call.Input(kWeights), weights / sizeof(float)));
  *layout = {pixels, p.out_c, p.out_stride, p.out_offset};
  return Status();
}

Status ValidateReach(const TransposedConvolutionParams& p) {
  const auto fits = [](uint32_t in, uint32_t out, uint32_t kernel, uint32_t dilation, uint32_t pad) {
    return in < kMaxCoordinate && out < kMaxCoordinate && pad < kMaxCoordinate &&
           static_cast<uint64_t>(kernel - 1) * dilation < kMaxCoordinate;
  };
  if (!fits(p.in_d, p.out_d, p.kernel_d, p.dilation_d, p.pad_front) ||
      !fits(p.in_h, p.out_h, p.kernel_h, p.dilation_h, p.pad_top) ||
      !fits(p.in_w, p.out_w, p.kernel_w, p.dilation_w, p.pad_left)) {
    return Unsupported("sizes, dilated kernels and padding must stay below 2^30");
  }
  uint64_t phases = 0;
  if (!CheckedProduct(&phases, std::min(p.stride_d, p.out_d), std::min(p.stride_h, p.out_h),
                      std::min(p.stride_w, p.out_w)) ||
      phases > kMostPhases) {
    return Unsupported("the strides have more than " + std::to_string(kMostPhases) + " phases");
  }
  return Status();
}

// The copy is a few times as large as x in real networks; refuses params that would ask for much more.
Status ValidatePadding(const CallView& call, const TransposedConvolutionParams& p) {
  constexpr uint64_t kFreeBytes = 64ull << 20, kMostGrowth = 16;
  const TransposedGeometry g = TransposedGeometry::Of(p);
  if (!g.NeedsPadding(p)) return Status();
  const Operand x = call.Input(kX);
  uint64_t bytes = 0;
  const bool counted = CheckedProduct(&bytes, p.batch, g.TouchedDepth(), g.TouchedHeight(), g.TouchedWidth(), p.in_c,
                                      SizeOf(x.type));
  if (!counted || (bytes > kFreeBytes && (bytes - kFreeBytes) / kMostGrowth > x.elements * SizeOf(x.type)))
    return Unsupported("the output reaches too far outside of the input");
  return Status();
}

Status Validate(const CallView& call) {
  const TransposedConvolutionParams& p = call.Params<TransposedConvolutionParams>();
  LOWP_RETURN_IF_ERROR(ValidateSizes(p));
  OutputLayout layout;
  LOWP_RETURN_IF_ERROR(ValidateCounts(call, p, &layout));
  LOWP_RETURN_IF_ERROR(ValidateEpilogue(call, layout));
  LOWP_RETURN_IF_ERROR(ValidateReach(p));
  LOWP_RETURN_IF_ERROR(ValidatePadding(call, p));
  const uint64_t depth = call.Input(kWeights).elements / p.out_c;
  if (call.Input(kX).type == ElementType::kU8 && depth > kMostIntegerProducts) {
    return Unsupported("more than " + std::to_string(kMostIntegerProducts) + " products per output may overflow s32");
  }
  return Status();
}

// [groups, in, out, taps] as [groups, out, in, taps].
std::vector<uint8_t> OutputMajor(const TransposedConvolutionParams& p, const Operand& weights) {
  const size_t element = SizeOf(weights.type), in = p.in_c / p.groups, out = p.out_c / p.groups;
  const size_t taps = size_t{p.kernel_d} * p.kernel_h * p.kernel_w * element;
  const uint8_t* from = static_cast<const uint8_t*>(weights.constant);
  std::vector<uint8_t> to(weights.elements * element);
  for (size_t g = 0; g < p.groups; g++)
    for (size_t c = 0; c < in; c++)
      for (size_t n = 0; n < out; n++, from += taps)
        std::memcpy(to.data() + ((g * out + n) * in + c) * taps, from, taps);
  return to;
}

// The products of all phases as one call; they share the padded copy.
class TransposedCall final : public PreparedCall {
 public:
  explicit TransposedCall(std::vector<PreparedPtr> parts) : parts_(std::move(parts)) {
    const PreparedCall& first = *parts_.front();
    row = first.row;
    phases = first.phases;
    shared_bytes = first.shared_bytes;
    packed_inputs = first.packed_inputs;
    inplace_input = first.inplace_input;
    tiles[0] = phases == 2 ? first.tiles[0] : 0;
    tiles[phases - 1] = 0;
    for (const PreparedPtr& part : parts_) {
      tiles[phases - 1] += part->tiles[phases - 1];
      scratch_bytes = std::max(scratch_bytes, part->scratch_bytes);
      packed_bytes += part->packed_bytes;
      found_bytes += part->found_bytes;
      operations += part->operations;
    }
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    if (phase + 1 < phases) {
      parts_.front()->Run(context, phase, begin, end);
      return;
    }
    size_t before = 0;
    for (const PreparedPtr& part : parts_) {
      const size_t count = part->tiles[phase], last = std::min(end, before + count), first = std::max(begin, before);
      if (first < last) part->Run(context, phase, first - before, last - before);
      before += count;
    }
  }

 private:
  std::vector<PreparedPtr> parts_;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  const TransposedConvolutionParams& p = call.Params<TransposedConvolutionParams>();
  const std::vector<uint8_t> weights = OutputMajor(p, call.Input(kWeights));
  std::vector<PreparedPtr> parts;
  for (GemmProblem& problem : DescribePhases(p, call.Input(kX).type == ElementType::kU8)) {
    problem.weights = weights.data();
    Result<PreparedPtr> part = PrepareGemm(call, context, EpilogueSettings::Of(p), problem);
    if (!part.ok()) return part.status();
    parts.push_back(std::move(part.value()));
  }
  return PreparedPtr(std::make_unique<TransposedCall>(std::move(parts)));
}

}  // namespace

const KernelDef kernel_transposed_convolution = {"transposed_convolution", TransposedConvolutionParams::Fields,
                                                 Validate, Prepare};

}  // namespace lowp
