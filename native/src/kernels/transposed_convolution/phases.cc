// Which taps each output phase of a transposed convolution reads, as runs of memory.
#include "kernels/transposed_convolution/phases.h"

#include <algorithm>

namespace lowp {
namespace {

using Taps = std::vector<AxisPhase::Tap>;

// Elements from pixel to pixel, row to row and plane to plane of what the taps read.
struct Steps {
  size_t pixel = 0, line = 0, plane = 0, volume = 0;
};

// A run may span neighbouring taps that read neighbouring pixels without a gap.
bool SpansTaps(const TransposedConvolutionParams& p, const Taps& taps, size_t pixel) {
  if (p.groups != 1 || pixel != p.in_c || taps.size() < 2) return false;
  for (size_t i = 1; i < taps.size(); i++)
    if (taps[i].offset != taps[i - 1].offset + 1) return false;
  return true;
}

PaddedCopy DescribeCopy(const TransposedConvolutionParams& p, const TransposedGeometry& g, bool integer) {
  const size_t element = integer ? 1 : sizeof(float);
  PaddedCopy c;
  c.needed = true;
  c.batch = p.batch;
  c.in_d = p.in_d;
  c.in_h = p.in_h;
  c.in_w = p.in_w;
  c.in_pixel = p.in_stride * element;
  c.depth = g.TouchedDepth();
  c.height = g.TouchedHeight();
  c.width = g.TouchedWidth();
  c.pixel = c.used_bytes = p.in_c * element;
  c.front = -g.depth.low;
  c.top = -g.height.low;
  c.left = -g.width.low;
  c.border = integer ? static_cast<uint8_t>(p.in_zero_point) : 0;
  return c;
}

class Describer {
 public:
  Describer(const TransposedConvolutionParams& p, bool integer)
      : p_(p), geometry_(TransposedGeometry::Of(p)), integer_(integer), element_(integer ? 1 : sizeof(float)) {
    const bool padded = geometry_.NeedsPadding(p);
    if (padded) copy_ = DescribeCopy(p, geometry_, integer);
    const size_t width = padded ? copy_.width : p.in_w, height = padded ? copy_.height : p.in_h;
    steps_.pixel = padded ? p.in_c : p.in_stride;
    steps_.line = steps_.pixel * width;
    steps_.plane = steps_.line * height;
    steps_.volume = steps_.plane * (padded ? copy_.depth : p.in_d);
    // The position of x that a row's pointer of 0 stands for.
    if (padded) origin_ = {geometry_.depth.low, geometry_.height.low, geometry_.width.low};
  }

  std::vector<GemmProblem> All() const {
    std::vector<GemmProblem> problems;
    for (const AxisPhase& z : geometry_.depth.phases)
      for (const AxisPhase& y : geometry_.height.phases)
        for (const AxisPhase& x : geometry_.width.phases) problems.push_back(Describe(z, y, x));
    return problems;
  }

 private:
  struct Origin {
    int64_t z = 0, y = 0, x = 0;
  };

  GemmProblem Describe(const AxisPhase& z, const AxisPhase& y, const AxisPhase& x) const {
    GemmProblem g;
    const size_t channels = p_.in_c / p_.groups;
    g.integer = integer_;
    g.pixels = p_.batch * z.count * y.count * x.count;
    g.groups = p_.groups;
    g.group_columns = p_.out_c / p_.groups;
    g.group_stride = channels;
    g.weight_stride = channels * p_.kernel_d * p_.kernel_h * p_.kernel_w;
    g.depth = channels * z.taps.size() * y.taps.size() * x.taps.size();
    g.zero_point = integer_ ? static_cast<int32_t>(p_.in_zero_point) : 0;
    g.copy = copy_;
    g.out_stride = p_.out_stride;
    g.out_offset = p_.out_offset;
    g.walk = {z.count,
              y.count,
              x.count,
              steps_.volume * element_,
              steps_.plane * element_,
              steps_.line * element_,
              steps_.pixel * element_};
    const size_t line = p_.out_w, plane = line * p_.out_h;
    g.scatter.needed = true;
    g.scatter.first = z.first * plane + y.first * line + x.first;
    g.scatter.step_b = plane * p_.out_d;
    g.scatter.step_z = plane * p_.stride_d;
    g.scatter.step_y = line * p_.stride_h;
    g.scatter.step_x = p_.stride_w;
    g.fresh_bytes = std::min<size_t>(g.depth * element_, p_.in_c * element_);
    AddRuns(z, y, x, &g);
    return g;
  }

  void AddRuns(const AxisPhase& z, const AxisPhase& y, const AxisPhase& x, GemmProblem* g) const {
    const size_t channels = p_.in_c / p_.groups;
    const bool spans = SpansTaps(p_, x.taps, steps_.pixel);
    for (const AxisPhase::Tap& tz : z.taps) {
      for (const AxisPhase::Tap& ty : y.taps) {
        const int64_t row = (tz.offset - origin_.z) * static_cast<int64_t>(steps_.plane) +
                            (ty.offset - origin_.y) * static_cast<int64_t>(steps_.line);
        for (size_t i = 0; i < x.taps.size(); i++) {
          const int64_t at = row + (x.taps[i].offset - origin_.x) * static_cast<int64_t>(steps_.pixel);
          if (!spans) g->runs.push_back({at, channels});
          if (spans && i == 0) g->runs.push_back({at, channels * x.taps.size()});
          AddTap((tz.kernel * p_.kernel_h + ty.kernel) * p_.kernel_w + x.taps[i].kernel, channels, g);
        }
      }
    }
  }

  void AddTap(size_t tap, size_t channels, GemmProblem* g) const {
    const size_t taps = size_t{p_.kernel_d} * p_.kernel_h * p_.kernel_w;
    for (size_t c = 0; c < channels; c++) g->source.push_back(c * taps + tap);
  }

  TransposedConvolutionParams p_;
  TransposedGeometry geometry_;
  bool integer_;
  size_t element_;
  PaddedCopy copy_;
  Steps steps_;
  Origin origin_;
};

}  // namespace

AxisPhases FindPhases(uint32_t out, uint32_t kernel, uint32_t stride, uint32_t dilation, uint32_t pad) {
  AxisPhases axis;
  bool any = false;
  for (size_t first = 0; first < std::min(stride, out); first++) {
    AxisPhase phase;
    phase.first = first;
    phase.count = (out - first + stride - 1) / stride;
    for (size_t k = kernel; k-- > 0;) {
      const int64_t reach = static_cast<int64_t>(first + pad) - static_cast<int64_t>(k * dilation);
      if (reach % static_cast<int64_t>(stride) == 0) phase.taps.push_back({k, reach / static_cast<int64_t>(stride)});
    }
    if (!phase.taps.empty()) {
      const int64_t low = phase.taps.front().offset;
      const int64_t high = phase.taps.back().offset + static_cast<int64_t>(phase.count) - 1;
      axis.low = any ? std::min(axis.low, low) : low;
      axis.high = any ? std::max(axis.high, high) : high;
      any = true;
    }
    axis.phases.push_back(std::move(phase));
  }
  return axis;
}

TransposedGeometry TransposedGeometry::Of(const TransposedConvolutionParams& p) {
  return {FindPhases(p.out_d, p.kernel_d, p.stride_d, p.dilation_d, p.pad_front),
          FindPhases(p.out_h, p.kernel_h, p.stride_h, p.dilation_h, p.pad_top),
          FindPhases(p.out_w, p.kernel_w, p.stride_w, p.dilation_w, p.pad_left)};
}

bool TransposedGeometry::NeedsPadding(const TransposedConvolutionParams& p) const {
  const auto leaves = [](const AxisPhases& axis, uint32_t in) { return axis.low < 0 || axis.high >= in; };
  return leaves(depth, p.in_d) || leaves(height, p.in_h) || leaves(width, p.in_w);
}

std::vector<GemmProblem> DescribePhases(const TransposedConvolutionParams& params, bool integer) {
  return Describer(params, integer).All();
}

}  // namespace lowp
