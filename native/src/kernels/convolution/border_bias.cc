// Sums of the weights that meet padding, by place.
#include "kernels/convolution/border_bias.h"

#include <algorithm>
#include <cstring>

#include "kernels/common/epilogue.h"

namespace lowp {
namespace {

// Taps [begin, end) of an axis are inside of the input.
struct Inside {
  int64_t begin, end;
  bool operator==(const Inside& other) const { return begin == other.begin && end == other.end; }
};

// The different ones of an axis, and which of them each output has.
struct AxisSets {
  std::vector<Inside> sets;
  std::vector<uint32_t> of;

  bool CoverAll(int64_t kernel) const { return sets.size() == 1 && sets[0] == Inside{0, kernel}; }
};

struct Sets {
  AxisSets z, y, x;

  size_t count() const { return z.sets.size() * y.sets.size() * x.sets.size(); }
};

AxisSets SetsOfAxis(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad) {
  AxisSets axis;
  for (int64_t o = 0; o < out; o++) {
    const int64_t first = o * stride - pad;  // where tap 0 reads
    const int64_t begin = std::min(kernel, first >= 0 ? 0 : (-first + dilation - 1) / dilation);
    const int64_t end = first >= in ? 0 : std::min(kernel, (in - 1 - first) / dilation + 1);
    const Inside inside = begin < end ? Inside{begin, end} : Inside{0, 0};
    // Both ends go down from output to output, so that equal ones are neighbours.
    if (axis.sets.empty() || !(axis.sets.back() == inside)) axis.sets.push_back(inside);
    axis.of.push_back(static_cast<uint32_t>(axis.sets.size() - 1));
  }
  return axis;
}

Sets SetsOf(const ConvolutionParams& p) {
  return {SetsOfAxis(p.in_d, p.out_d, p.kernel_d, p.stride_d, p.dilation_d, p.pad_front),
          SetsOfAxis(p.in_h, p.out_h, p.kernel_h, p.stride_h, p.dilation_h, p.pad_top),
          SetsOfAxis(p.in_w, p.out_w, p.kernel_w, p.stride_w, p.dilation_w, p.pad_left)};
}

// By tap, the sum of a channel's weights over its inputs.
void SumTaps(const int8_t* w, size_t inputs, std::vector<int64_t>* taps) {
  std::fill(taps->begin(), taps->end(), 0);
  for (size_t c = 0; c < inputs; c++)
    for (int64_t& tap : *taps) tap += *w++;
}

float LoadFloat(const float* values, size_t index) {
  float value;
  std::memcpy(&value, reinterpret_cast<const char*>(values) + index * sizeof(float), sizeof(float));
  return value;
}

// Of all taps but those inside along every axis.
int64_t SumOutside(const std::vector<int64_t>& taps, const ConvolutionParams& p, Inside z, Inside y, Inside x) {
  int64_t sum = 0;
  for (int64_t tap : taps) sum += tap;
  for (int64_t kz = z.begin; kz < z.end; kz++)
    for (int64_t ky = y.begin; ky < y.end; ky++)
      for (int64_t kx = x.begin; kx < x.end; kx++)
        sum -= taps[static_cast<size_t>((kz * p.kernel_h + ky) * p.kernel_w + kx)];
  return sum;
}

}  // namespace

Status ValidateBorderBias(const ConvolutionParams& p) {
  constexpr uint64_t kMostSums = 1u << 30;
  uint64_t sums = 0;
  if (CheckedProduct(&sums, SetsOf(p).count(), p.kernel_d, p.kernel_h, p.kernel_w, p.out_c) && sums <= kMostSums)
    return Status();
  return Unsupported("too many places at the borders have different taps for an in_zero_offset");
}

PlacedBias BiasByPlace(const ConvolutionParams& p, const int8_t* weights, const float* scale, const float* bias) {
  Sets sets = SetsOf(p);
  auto& [z, y, x] = sets;
  PlacedBias placed;
  if (z.CoverAll(p.kernel_d) && y.CoverAll(p.kernel_h) && x.CoverAll(p.kernel_w)) return placed;
  placed.of_z = std::move(z.of);
  placed.of_y = std::move(y.of);
  placed.of_x = std::move(x.of);
  placed.sets_y = y.sets.size();
  placed.sets_x = x.sets.size();
  placed.pitch = p.out_c + kEpilogueSlack;
  placed.values.resize(sets.count() * placed.pitch);
  const size_t inputs = p.in_c / p.groups;
  std::vector<int64_t> taps(size_t{p.kernel_d} * p.kernel_h * p.kernel_w);
  for (size_t n = 0; n < p.out_c; n++) {
    SumTaps(weights + n * inputs * taps.size(), inputs, &taps);
    const double unit = static_cast<double>(LoadFloat(scale, n)) * static_cast<double>(p.in_zero_offset);
    const double start = bias ? static_cast<double>(LoadFloat(bias, n)) : 0.0;
    float* to = placed.values.data() + n;
    for (const Inside& in_z : z.sets) {
      for (const Inside& in_y : y.sets) {
        for (const Inside& in_x : x.sets) {
          const double outside = static_cast<double>(SumOutside(taps, p, in_z, in_y, in_x));
          *to = static_cast<float>(start + unit * outside);
          to += placed.pitch;
        }
      }
    }
  }
  return placed;
}

}  // namespace lowp
