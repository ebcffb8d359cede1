// Validation and preparation of the convolution kernel.
#include "kernels/convolution/convolution.h"

#include <string>

#include "kernels/convolution/border_bias.h"
#include "kernels/convolution/geometry.h"
#include "kernels/gemm/call.h"
#include "kernels/shallow/shallow.h"
#include "kernels/winograd/integer.h"

namespace lowp {
namespace {

Status ValidateSizes(const ConvolutionParams& p) {
  for (uint32_t size : {p.batch, p.in_d, p.in_h, p.in_w, p.in_c, p.out_d, p.out_h, p.out_w, p.out_c, p.kernel_d,
                        p.kernel_h, p.kernel_w, p.stride_d, p.stride_h, p.stride_w, p.dilation_d, p.dilation_h,
                        p.dilation_w, p.groups}) {
    LOWP_REQUIRE(size > 0, "sizes, strides, dilations and groups must be positive");
  }
  LOWP_REQUIRE(p.in_stride >= p.in_c, "in_stride must not be less than in_c");
  LOWP_REQUIRE(p.in_c % p.groups == 0 && p.out_c % p.groups == 0, "groups must divide in_c and out_c");
  LOWP_REQUIRE(p.in_zero_point <= 255, "in_zero_point must be 0 to 255");
  LOWP_REQUIRE(p.in_zero_offset >= -0.5f && p.in_zero_offset <= 0.5f, "in_zero_offset must be -0.5 to 0.5");
  LOWP_REQUIRE(p.mid <= 1, "mid must be 0 or 1");
  return Status();
}

Status ValidateCounts(const CallView& call, const ConvolutionParams& p, OutputLayout* layout) {
  uint64_t pixels = 0, x = 0, weights = 0;
  LOWP_REQUIRE(CheckedProduct(&pixels, p.batch, p.out_d, p.out_h, p.out_w) &&
                   CheckedProduct(&x, p.batch, p.in_d, p.in_h, p.in_w, p.in_stride, sizeof(float)) &&
                   CheckedProduct(&weights, p.out_c, p.in_c / p.groups, p.kernel_d, p.kernel_h, p.kernel_w,
                                  sizeof(float)),
               "the sizes are too large");
  x /= sizeof(float);
  weights /= sizeof(float);
  LOWP_RETURN_IF_ERROR(ValidateElements("x", call.Input(kX), x));
  LOWP_RETURN_IF_ERROR(ValidateElements("weights", call.Input(kWeights), weights));
  *layout = {pixels, p.out_c, p.out_stride, p.out_offset};
  return Status();
}

// The copy is a few times as large as x in real networks; refuses params that would ask for much more.
Status ValidatePadding(const CallView& call, const ConvolutionParams& p) {
  constexpr uint64_t kFreeBytes = 64ull << 20, kMostGrowth = 16;
  TouchedExtent touched;
  uint64_t bytes = 0;
  const Status large = Unsupported("strides and dilations reach too far outside of the input");
  if (!FindTouchedExtent(p, &touched)) return large;
  if (!NeedsPadding(p, touched)) return Status();
  const Operand x = call.Input(kX);
  const size_t pixel = CopyPixelBytes(p, x.type == ElementType::kU8);
  if (!CheckedProduct(&bytes, p.batch, touched.depth, touched.height, touched.width, pixel)) return large;
  if (bytes > kFreeBytes && (bytes - kFreeBytes) / kMostGrowth > x.elements * SizeOf(x.type)) return large;
  return Status();
}

Status Validate(const CallView& call) {
  const ConvolutionParams& p = call.Params<ConvolutionParams>();
  LOWP_RETURN_IF_ERROR(ValidateSizes(p));
  OutputLayout layout;
  LOWP_RETURN_IF_ERROR(ValidateCounts(call, p, &layout));
  LOWP_RETURN_IF_ERROR(ValidateEpilogue(call, layout));
  LOWP_RETURN_IF_ERROR(ValidatePadding(call, p));
  const uint64_t depth = call.Input(kWeights).elements / p.out_c;
  if (call.Input(kX).type == ElementType::kU8 && depth > kMostIntegerProducts) {
    return Unsupported("more than " + std::to_string(kMostIntegerProducts) + " products per output may overflow s32");
  }
  return p.in_zero_offset != 0.0f ? ValidateBorderBias(p) : Status();
}

// Of an image, dense, with stride 1.
bool IsThreeByThree(const ConvolutionParams& p) {
  for (uint32_t one : {p.in_d, p.out_d, p.kernel_d, p.stride_h, p.stride_w, p.dilation_h, p.dilation_w, p.groups})
    if (one != 1) return false;
  return p.kernel_h == 3 && p.kernel_w == 3 && p.pad_front == 0;
}

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  const ConvolutionParams& p = call.Params<ConvolutionParams>();
  if (call.Input(kX).type == ElementType::kU8 && p.in_zero_offset == 0.0f && IsThreeByThree(p)) {
    const ByteConvolution bytes{WinogradShape::Of(p), p.in_zero_point, EpilogueSettings::Of(p)};
    Result<PreparedPtr> prepared = PrepareIntegerWinograd(call, context, bytes);
    if (!prepared.ok() || prepared.value()) return prepared;
  }
  GemmProblem problem = DescribeConvolution(p, call.Input(kX).type == ElementType::kU8);
  problem.weights = call.Input(kWeights).constant;
  if (problem.integer && p.in_zero_offset != 0.0f) {
    problem.bias = BiasByPlace(p, static_cast<const int8_t*>(problem.weights),
                               static_cast<const float*>(call.Input(kScale).constant),
                               static_cast<const float*>(call.Input(kBias).constant));
  }
  const EpilogueSettings settings = EpilogueSettings::Of(p);
  const ShallowShape shape = ShallowShape::Of(p);
  const ShallowRow* shallow = SelectShallowRow(shape, problem, context);
  if (shallow) return PrepareShallow(call, shape, settings, *shallow, problem, context.threads);
  return PrepareGemm(call, context, settings, problem);
}

}  // namespace

const KernelDef kernel_convolution = {"convolution", ConvolutionParams::Fields, Validate, Prepare};

}  // namespace lowp
