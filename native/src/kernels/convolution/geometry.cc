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

void AddTap(const ConvolutionParams& p, size_t tap, std::vector<size_t>* source) {
  const size_t taps = size_t{p.kernel_d} * p.kernel_h * p.kernel_w;
  for (size_t c = 0; c < p.in_c / p.groups; c++) source->push_back(c * taps + tap);
}

// `pixel`, `line` and `plane`: elements from pixel to pixel, row to row and plane to plane of what the taps read.
void AddRuns(const ConvolutionParams& p, bool integer, size_t pixel, size_t line, size_t plane, GemmProblem* problem) {
  const bool spans = SpansTaps(p, integer, pixel);
  const size_t channels = p.in_c / p.groups;
  for (size_t row = 0; row < size_t{p.kernel_d} * p.kernel_h; row++) {
    const size_t kz = row / p.kernel_h, ky = row % p.kernel_h;
    const size_t first = kz * p.dilation_d * plane + ky * p.dilation_h * line;
    if (spans) problem->runs.push_back({static_cast<int64_t>(first), (p.kernel_w - 1) * pixel + channels});
    for (size_t kx = 0; kx < p.kernel_w; kx++) {
      if (!spans) problem->runs.push_back({static_cast<int64_t>(first + kx * p.dilation_w * pixel), channels});
      AddTap(p, row * p.kernel_w + kx, &problem->source);
      if (spans && kx + 1 < p.kernel_w) problem->source.insert(problem->source.end(), pixel - channels, kNoWeight);
    }
  }
}

}  // namespace

bool FindTouchedExtent(const ConvolutionParams& p, TouchedExtent* touched) {
  return Extent(p.out_d, p.stride_d, p.kernel_d, p.dilation_d, &touched->depth) &&
         Extent(p.out_h, p.stride_h, p.kernel_h, p.dilation_h, &touched->height) &&
         Extent(p.out_w, p.stride_w, p.kernel_w, p.dilation_w, &touched->width);
}

bool NeedsPadding(const ConvolutionParams& p, const TouchedExtent& touched) {
  return p.pad_front > 0 || p.pad_top > 0 || p.pad_left > 0 || touched.depth > p.in_d || touched.height > p.in_h ||
         touched.width > p.in_w;
}

size_t CopyPixelBytes(const ConvolutionParams& p, bool integer) {
  if (!integer) return size_t{p.in_c} * sizeof(float);
  return p.in_c == 3 ? 4 : p.in_c;  // steps of a pixel's 4 bytes do not straddle cache lines
}

GemmProblem DescribeConvolution(const ConvolutionParams& p, bool integer) {
  const size_t element = integer ? 1 : sizeof(float);
  TouchedExtent touched;
  (void)FindTouchedExtent(p, &touched);
  GemmProblem g;
  g.integer = integer;
  g.pixels = size_t{p.batch} * p.out_d * p.out_h * p.out_w;
  g.groups = p.groups;
  g.group_columns = p.out_c / p.groups;
  g.group_stride = p.in_c / p.groups;
  g.weight_stride = g.depth = size_t{p.in_c / p.groups} * p.kernel_d * p.kernel_h * p.kernel_w;
  g.zero_point = integer ? static_cast<int32_t>(p.in_zero_point) : 0;
  g.out_stride = p.out_stride;
  g.out_offset = p.out_offset;
  size_t pixel = p.in_stride * element, line = pixel * p.in_w, plane = line * p.in_h, volume = plane * p.in_d;
  if (NeedsPadding(p, touched)) {
    PaddedCopy& c = g.copy;
    c.needed = true;
    c.batch = p.batch;
    c.in_d = p.in_d;
    c.in_h = p.in_h;
    c.in_w = p.in_w;
    c.in_pixel = pixel;
    c.depth = touched.depth;
    c.height = touched.height;
    c.width = touched.width;
    c.pixel = CopyPixelBytes(p, integer);
    c.used_bytes = p.in_c * element;
    c.front = p.pad_front;
    c.top = p.pad_top;
    c.left = p.pad_left;
    c.border = integer ? static_cast<uint8_t>(p.in_zero_point) : 0;
    pixel = c.pixel;
    line = c.row_bytes();
    plane = line * c.height;
    volume = plane * c.depth;
  }
  g.walk = {p.out_d, p.out_h, p.out_w, volume, plane * p.stride_d, line * p.stride_h, pixel * p.stride_w};
  g.fresh_bytes =
      std::min<size_t>(g.weight_stride * element, size_t{p.in_c} * element * p.stride_d * p.stride_h * p.stride_w);
  AddRuns(p, integer, pixel / element, line / element, plane / element, &g);
  return g;
}

}  // namespace lowp
