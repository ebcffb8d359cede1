// Checks and runs `grid_sample` (grid_sample.h).
#include "kernels/sampling/grid_sample.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/flat_tiles.h"
#include "kernels/prepare_call.h"
#include "kernels/sampling/mix.h"

namespace lowp {
namespace {

enum Mode : uint32_t { kLinear, kCubic, kNearest, kModes };
enum Padding : uint32_t { kZeros, kBorder, kReflection, kPaddings };

constexpr size_t kAxes = 3, kAxisTaps = 4;

Status Validate(const CallView& call) {
  const auto& p = call.Params<GridSampleParams>();
  LOWP_REQUIRE(call.inputs.size() == 2 && call.outputs.size() == 1, "grid_sample: expected two inputs and one output");
  LOWP_REQUIRE(p.axes >= 1 && p.axes <= kAxes && (p.axes > 1 || p.height == 1) && (p.axes > 2 || p.depth == 1),
               "grid_sample: axes must be 1 to 3, the size of the others 1");
  LOWP_REQUIRE(p.mode < kModes && p.padding < kPaddings && p.align <= 1,
               "grid_sample: mode and padding must be 0 to 2, align 0 or 1");
  LOWP_REQUIRE(p.depth >= 1 && p.height >= 1 && p.width >= 1, "grid_sample: an axis has no elements");
  constexpr uint32_t kMost = INT32_MAX;
  LOWP_REQUIRE(p.depth <= kMost && p.height <= kMost && p.width <= kMost, "grid_sample: an axis is too long");
  uint64_t read = 0, points = 0, written = 0;
  LOWP_REQUIRE(CheckedProduct(&read, p.batch, p.depth, p.height, p.width, p.channels) &&
                   CheckedProduct(&points, p.batch, p.places, p.axes) &&
                   CheckedProduct(&written, p.batch, p.places, p.channels) &&
                   call.Input(0).Is(ElementType::kF32, read) && call.Input(1).Is(ElementType::kF32, points) &&
                   call.Output(0).Is(ElementType::kF32, written),
               "grid_sample: expected f32 x [batch, depth, height, width, channels], grid [batch, places, axes], "
               "y [batch, places, channels]");
  return Status();
}

// As std::clamp, but NaN stays NaN.
double Confined(double v, double low, double high) { return v < low ? low : v > high ? high : v; }

double Reflected(double v, double low, double high) {
  const double range = high - low;
  if (range <= 0) return low;
  const double distance = std::fabs(v - low);
  const double turns = std::floor(distance / range);
  const double rest = distance - turns * range;
  return std::fmod(turns, 2) == 0 ? low + rest : high - rest;
}

// Positions on one axis, those that count as zero left out.
struct AxisTaps {
  size_t count = 0;
  size_t position[kAxisTaps];
  double weight[kAxisTaps];
};

class Axis {
 public:
  Axis(const GridSampleParams& p, uint32_t size) : p_(p), size_(size) {
    low_ = p.align ? 0 : -0.5;
    high_ = p.align ? size - 1.0 : size - 0.5;
  }

  AxisTaps TapsOf(float coordinate) const {
    const double v = coordinate;
    double at = p_.align ? (v + 1) / 2 * (size_ - 1) : ((v + 1) * size_ - 1) / 2;
    AxisTaps taps;
    if (p_.mode != kCubic) {
      if (p_.padding == kReflection) at = Reflected(at, low_, high_);
      if (p_.padding == kBorder) at = Confined(at, 0, size_ - 1);
    }
    if (p_.mode == kNearest) {
      Append(taps, std::nearbyint(at), 1);
      return taps;
    }
    const double base = std::floor(at), t = at - base;
    if (p_.mode == kLinear) {
      Append(taps, base, 1 - t);
      Append(taps, base + 1, t);
      return taps;
    }
    const double weights[kAxisTaps] = {Far(t + 1), Near(t), Near(1 - t), Far(2 - t)};
    for (size_t i = 0; i < kAxisTaps; i++) Append(taps, base - 1 + static_cast<double>(i), weights[i]);
    return taps;
  }

 private:
  static constexpr double kA = -0.75;
  static double Near(double x) { return ((kA + 2) * x - (kA + 3)) * x * x + 1; }
  static double Far(double x) { return ((kA * x - 5 * kA) * x + 8 * kA) * x - 4 * kA; }

  void Append(AxisTaps& taps, double position, double weight) const {
    const bool is_inside = position >= 0 && position < size_;
    if (!is_inside && p_.padding == kZeros) return;
    if (!is_inside && p_.padding == kReflection) position = std::floor(Reflected(position, low_, high_) + 0.5);
    if (!is_inside) position = Confined(position, 0, size_ - 1);
    const bool is_number = position == position;
    taps.position[taps.count] = is_number ? static_cast<size_t>(position) : 0;
    taps.weight[taps.count++] = is_number ? weight : std::numeric_limits<double>::quiet_NaN();
  }

  const GridSampleParams& p_;
  double size_, low_, high_;
};

class PreparedGridSample final : public PreparedCall {
 public:
  PreparedGridSample(const CallView& call, const PrepareContext& context) : p_(call.Params<GridSampleParams>()) {
    const Row<MixRows>& chosen = SelectMix(context);
    mix_ = chosen.run->mix;
    row = chosen.name;
    const size_t places = size_t{p_.batch} * p_.places;
    tile_places_ = std::max<size_t>(1, kFlatTile / 8 / std::max<size_t>(1, p_.channels));
    tiles[0] = CeilDiv(places, tile_places_);
    operations = 2.0 * static_cast<double>(call.Output(0).elements) * std::pow(p_.mode == kCubic ? 4 : 2, p_.axes);
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const Axis axes[kAxes] = {{p_, p_.depth}, {p_, p_.height}, {p_, p_.width}};
    const size_t places = size_t{p_.batch} * p_.places;
    for (size_t at = begin * tile_places_; at < std::min(places, end * tile_places_); at++) {
      const float* grid = static_cast<const float*>(context.inputs[1]) + at * p_.axes;
      AxisTaps taps[kAxes];
      for (size_t axis = 0; axis < kAxes; axis++) {
        const size_t from_last = kAxes - 1 - axis;
        if (from_last < p_.axes) {
          taps[axis] = axes[axis].TapsOf(grid[from_last]);
        } else {
          taps[axis].count = 1;
          taps[axis].position[0] = 0;
          taps[axis].weight[0] = 1;
        }
      }
      Sample(context, at, taps);
    }
  }

 private:
  void Sample(const RunContext& context, size_t at, const AxisTaps (&taps)[kAxes]) const {
    const size_t channels = p_.channels, area = size_t{p_.depth} * p_.height * p_.width;
    const float* x = static_cast<const float*>(context.inputs[0]) + at / p_.places * area * channels;
    const float* pixels[kAxisTaps * kAxisTaps * kAxisTaps];
    float weights[kAxisTaps * kAxisTaps * kAxisTaps];
    size_t count = 0;
    for (size_t i = 0; i < taps[0].count; i++)
      for (size_t j = 0; j < taps[1].count; j++)
        for (size_t k = 0; k < taps[2].count; k++) {
          const size_t plane = taps[0].position[i] * p_.height + taps[1].position[j];
          pixels[count] = x + (plane * p_.width + taps[2].position[k]) * channels;
          weights[count++] = static_cast<float>(taps[0].weight[i] * taps[1].weight[j] * taps[2].weight[k]);
        }
    mix_(pixels, weights, count, static_cast<float*>(context.outputs[0]) + at * channels, channels);
  }

  GridSampleParams p_;
  MixFunction mix_ = nullptr;
  size_t tile_places_ = 1;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  return MakeCall<PreparedGridSample>("grid_sample", call, context);
}

}  // namespace

const KernelDef kernel_grid_sample = {"grid_sample", GridSampleParams::Fields, Validate, Prepare};

}  // namespace lowp
