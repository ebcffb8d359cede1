// Runs, row steps and padding of a convolution.
#include "kernels/convolution/geometry.h"

#include <algorithm>

namespace lowp {
namespace {

bool Extent(uint64_t out, uint64_t stride, uint64_t kernel, uint64_t dilation, uint64_t* extent) {
  uint64_t steps = 0, taps = 0;
  return CheckedMul(out - 1, stride, &steps) && CheckedMul(kernel - 1, dilation, &taps) &&
         !__builtin_add_overflow(steps, taps, extent) && ++*extent < (uint64_t{1} << 31);
}

// A run may span the gap between pixels when reading it with zero weights is cheaper than one run per tap.
// Not for f32: what lies in the gap may be NaN.
bool SpansTaps(const ConvolutionParams& p, bool integer, size_t pixel) {
  if (p.groups != 1 || p.dilation_w != 1 || p.kernel_w == 1) return false;
  return pixel == p.in_c || (integer && pixel - p.in_c <= p.in_c / 3);
}

void AddTap(const ConvolutionParams& p, size_t ky, size_t kx, std::vector<size_t>* source) {
  const size_t taps = size_t{p.kernel_h} * p.kernel_w;
  for (size_t c = 0; c < p.in_c / p.groups; c++) source->push_back(c * taps + ky * p.kernel_w + kx);
}

// `pixel` and `line`: elements from pixel to pixel and from row to row of what the taps read.
void AddRuns(const ConvolutionParams& p, bool integer, size_t pixel, size_t line, GemmProblem* problem) {
  const bool spans = SpansTaps(p, integer, pixel);
  const size_t channels = p.in_c / p.groups;
  for (size_t ky = 0; ky < p.kernel_h; ky++) {
    const size_t first = ky * p.dilation_h * line;
    if (spans) problem->runs.push_back({static_cast<int64_t>(first), (p.kernel_w - 1) * pixel + channels});
    for (size_t kx = 0; kx < p.kernel_w; kx++) {
      if (!spans) problem->runs.push_back({static_cast<int64_t>(first + kx * p.dilation_w * pixel), channels});
      AddTap(p, ky, kx, &problem->source);
      if (spans && kx + 1 < p.kernel_w) problem->source.insert(problem->source.end(), pixel - channels, kNoWeight);
    }
  }
}

}  // namespace

bool TouchedExtent(const ConvolutionParams& p, uint64_t* height, uint64_t* width) {
  return Extent(p.out_h, p.stride_h, p.kernel_h, p.dilation_h, height) &&
         Extent(p.out_w, p.stride_w, p.kernel_w, p.dilation_w, width);
}

bool NeedsPadding(const ConvolutionParams& p, uint64_t height, uint64_t width) {
  return p.pad_top > 0 || p.pad_left > 0 || height > p.in_h || width > p.in_w;
}

size_t CopyPixelBytes(const ConvolutionParams& p, bool integer) {
  if (!integer) return size_t{p.in_c} * sizeof(float);
  return p.in_c == 3 ? 4 : p.in_c;  // steps of a pixel's 4 bytes do not straddle cache lines
}

GemmProblem DescribeConvolution(const ConvolutionParams& p, bool integer) {
  const size_t element = integer ? 1 : sizeof(float);
  uint64_t height = 0, width = 0;
  (void)TouchedExtent(p, &height, &width);
  GemmProblem g;
  g.integer = integer;
  g.pixels = size_t{p.batch} * p.out_h * p.out_w;
  g.groups = p.groups;
  g.group_columns = p.out_c / p.groups;
  g.group_stride = p.in_c / p.groups;
  g.weight_stride = g.depth = size_t{p.in_c / p.groups} * p.kernel_h * p.kernel_w;
  g.zero_point = integer ? static_cast<int32_t>(p.in_zero_point) : 0;
  g.out_stride = p.out_stride;
  g.out_offset = p.out_offset;
  size_t pixel = p.in_stride * element, line = pixel * p.in_w, image = line * p.in_h;
  if (NeedsPadding(p, height, width)) {
    PaddedCopy& c = g.copy;
    c.needed = true;
    c.batch = p.batch;
    c.in_h = p.in_h;
    c.in_w = p.in_w;
    c.in_pixel = pixel;
    c.height = height;
    c.width = width;
    c.pixel = CopyPixelBytes(p, integer);
    c.used_bytes = p.in_c * element;
    c.top = p.pad_top;
    c.left = p.pad_left;
    c.border = integer ? static_cast<uint8_t>(p.in_zero_point) : 0;
    pixel = c.pixel;
    line = c.row_bytes();
    image = line * c.height;
  }
  g.walk = {p.out_h, p.out_w, image, line * p.stride_h, pixel * p.stride_w};
  g.fresh_bytes = std::min<size_t>(g.weight_stride * element, size_t{p.in_c} * element * p.stride_h * p.stride_w);
  AddRuns(p, integer, pixel / element, line / element, &g);
  return g;
}

}  // namespace lowp
