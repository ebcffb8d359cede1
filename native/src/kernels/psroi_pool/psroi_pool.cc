// Checks and runs `psroi_pool` (psroi_pool.h).
#include "kernels/psroi_pool/psroi_pool.h"

#include <cstring>

#include "kernels/common/regions.h"
#include "kernels/prepare_call.h"

namespace lowp {
namespace {

enum Mode : uint32_t { kAverage = 0, kBilinear = 1, kDeformable = 2 };

Status Validate(const CallView& call) {
  const auto& p = call.Params<PsroiPoolParams>();
  const Operand offsets = call.Input(2);
  LOWP_REQUIRE((call.inputs.size() == 2 || call.inputs.size() == 3) && call.outputs.size() == 1,
               "psroi_pool: expected two or three inputs and one output");
  LOWP_REQUIRE(p.mode <= kDeformable && (p.mode == kDeformable || !offsets.present),
               "psroi_pool: the mode must be 0 to 2, with offsets 2");
  LOWP_REQUIRE(p.images >= 1 && p.channels >= 1 && p.height >= 1 && p.width >= 1 && p.outputs >= 1 && p.group >= 1 &&
                   p.bins_x >= 1 && p.bins_y >= 1 && p.classes >= 1 && p.part >= 1 && p.outputs % p.classes == 0,
               "psroi_pool: sizes must be positive, and classes share the outputs");
  LOWP_REQUIRE(p.mode != kDeformable || uint64_t{p.bins_x} * p.bins_y <= kPsroiMostSamples,
               "psroi_pool: a bin has too many samples");
  uint64_t in = 0, out = 0, bytes = 0, own = 0, moves = 0;
  const bool is_bilinear = p.mode == kBilinear;
  LOWP_REQUIRE(CheckedProduct(&in, p.images, p.channels, p.height, p.width) &&
                   CheckedProduct(&out, p.regions, p.outputs, p.group, p.group) &&
                   CheckedProduct(&own, p.outputs, is_bilinear ? p.bins_x : p.group, is_bilinear ? p.bins_y : p.group) &&
                   CheckedProduct(&moves, p.regions, p.classes, 2u, p.part, p.part) &&
                   CheckedMul(in, sizeof(float), &bytes) && CheckedMul(out, sizeof(float), &bytes),
               "psroi_pool: sizes overflow");
  LOWP_REQUIRE(own == p.channels, "psroi_pool: every output needs channels of its own");
  LOWP_REQUIRE(call.Input(0).Is(ElementType::kF32, in), "psroi_pool: x must be f32 [images, channels, height, width]");
  LOWP_REQUIRE(call.Input(1).Is(ElementType::kF32, uint64_t{p.regions} * 5),
               "psroi_pool: expected regions f32 [regions, 5]");
  LOWP_REQUIRE(!offsets.present || offsets.Is(ElementType::kF32, moves),
               "psroi_pool: expected offsets f32 [regions, 2 * classes, part, part]");
  LOWP_REQUIRE(call.Output(0).Is(ElementType::kF32, out), "psroi_pool: y must be f32 [regions, outputs, group, group]");
  return Status();
}

struct Plane {
  const float* x = nullptr;
  size_t height = 1, width = 1;

  // 0 outside.
  double SampleAt(double y, double x_position) const {
    if (!(y >= 0 && y <= static_cast<double>(height - 1) && x_position >= 0 &&
          x_position <= static_cast<double>(width - 1)))
      return 0;
    const size_t top = static_cast<size_t>(y), left = static_cast<size_t>(x_position);
    const double down = y - static_cast<double>(top), along = x_position - static_cast<double>(left);
    const float* above = x + top * width + left;
    const float* below = down > 0 ? above + width : above;
    const size_t next = along > 0 ? 1 : 0;
    const double a = above[0] + (double{above[next]} - above[0]) * along;
    const double b = below[0] + (double{below[next]} - below[0]) * along;
    return a + (b - a) * down;
  }
};

// The elements of bin `bin` along an axis, mode 0.
ElementRange ElementsOf(float from, float to, double scale, size_t bin, size_t bins, size_t size) {
  const double start = std::round(double{from}) * scale;
  const double each = ((std::round(double{to}) + 1) * scale - start) / static_cast<double>(bins);
  return RangeInside(std::floor(start + static_cast<double>(bin) * each),
                     std::ceil(start + static_cast<double>(bin + 1) * each), size - 1, size);
}

// A region along an axis, mode 2.
struct Extent {
  double start, size;

  Extent(float from, float to, double scale) {
    start = std::round(double{from}) * scale - 0.5;
    size = (std::round(double{to}) + 1) * scale - 0.5 - start;
    if (size < 0.1) size = 0.1;
  }
};

// Phase 0 finds the end of the list. A tile of phase 1 is an output of a region.
class PreparedPsroiPool final : public PreparedCall {
 public:
  explicit PreparedPsroiPool(const CallView& call)
      : p_(call.Params<PsroiPoolParams>()), has_offsets_(call.Input(2).present) {
    phases = 2;
    tiles[1] = size_t{p_.regions} * p_.outputs;
    shared_bytes = sizeof(size_t);
    operations = static_cast<double>(call.Output(0).elements) * (p_.mode == kAverage ? 4 : 8.0 * p_.bins_x * p_.bins_y);
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    size_t* valid = reinterpret_cast<size_t*>(context.shared);
    if (phase == 0) {
      if (begin < end) *valid = ListOf(context).CountValid(context.fault);
      return;
    }
    const size_t bins = size_t{p_.group} * p_.group;
    for (size_t tile = begin; tile < end; tile++) {
      float* y = static_cast<float*>(context.outputs[0]) + tile * bins;
      const size_t region = tile / p_.outputs;
      if (region >= *valid) {
        std::memset(y, 0, bins * sizeof(float));
        continue;
      }
      for (size_t bin = 0; bin < bins; bin++)
        y[bin] = static_cast<float>(BinOf(context, region, tile % p_.outputs, bin / p_.group, bin % p_.group));
    }
  }

  std::string Describe(const RunContext& context, uint64_t region) const override {
    return ListOf(context).Describe(region);
  }

 private:
  RegionList ListOf(const RunContext& context) const {
    return {static_cast<const float*>(context.inputs[1]), p_.regions, p_.images};
  }

  double BinOf(const RunContext& context, size_t region, size_t output, size_t h, size_t w) const {
    const RegionList list = ListOf(context);
    const float* corners = list.Corners(region);
    const size_t area = size_t{p_.height} * p_.width;
    Plane plane{static_cast<const float*>(context.inputs[0]) + list.ImageOf(region) * p_.channels * area, p_.height,
                p_.width};
    if (p_.mode == kBilinear) return MeanOfParts(plane, corners, output, h, w);
    plane.x += ((output * p_.group + h) * p_.group + w) * area;
    if (p_.mode == kAverage) return MeanOfElements(plane, corners, h, w);
    return MeanOfMoved(plane, corners, Move(context, region, output, 0, h, w), Move(context, region, output, 1, h, w), h,
                       w);
  }

  double MeanOfElements(const Plane& plane, const float* c, size_t h, size_t w) const {
    const ElementRange columns = ElementsOf(c[0], c[2], p_.scale, w, p_.group, p_.width);
    const ElementRange rows = ElementsOf(c[1], c[3], p_.scale, h, p_.group, p_.height);
    const size_t count = columns.Count() * rows.Count();
    if (count == 0) return 0;
    double sum = 0;
    for (size_t y = rows.first; y < rows.end; y++)
      for (size_t x = columns.first; x < columns.end; x++)
        sum += plane.x[y * plane.width + x];
    return sum / static_cast<double>(count);
  }

  // Sample `i` of part `part` of an axis.
  double PartPosition(float from, float to, size_t part, size_t parts, size_t i, size_t size) const {
    const double first = double{from} * p_.scale;
    const double width = (double{to} * p_.scale - first) / static_cast<double>(parts);
    const double start = first + static_cast<double>(part) * width;
    const double share =
        p_.group > 1 ? start + width * static_cast<double>(i) / static_cast<double>(p_.group - 1) : start + width / 2;
    return share * static_cast<double>(size - 1);
  }

  double MeanOfParts(Plane plane, const float* c, size_t output, size_t h, size_t w) const {
    const size_t area = plane.height * plane.width;
    const size_t parts = size_t{p_.bins_x} * p_.bins_y;
    double sum = 0;
    plane.x += output * area;
    for (size_t part = 0; part < parts; part++, plane.x += p_.outputs * area) {
      const double x = PartPosition(c[0], c[2], part % p_.bins_x, p_.bins_x, w, p_.width);
      const double y = PartPosition(c[1], c[3], part / p_.bins_x, p_.bins_y, h, p_.height);
      sum += plane.SampleAt(y, x);
    }
    return sum / static_cast<double>(parts);
  }

  // How far a bin is moved along an axis (0: x), as a share of the region.
  double Move(const RunContext& context, size_t region, size_t output, size_t axis, size_t h, size_t w) const {
    if (!has_offsets_) return 0;
    const size_t label = output / (p_.outputs / p_.classes);
    const size_t row = h * p_.part / p_.group, column = w * p_.part / p_.group;
    const size_t at = (((region * p_.classes + label) * 2 + axis) * p_.part + row) * p_.part + column;
    return double{static_cast<const float*>(context.inputs[2])[at]} * p_.trans_scale;
  }

  static bool IsNear(double position, size_t size) {
    return position >= -0.5 && position <= static_cast<double>(size) - 0.5;
  }
  static double OnMap(double position, size_t size) {
    return std::min(std::max(position, 0.0), static_cast<double>(size - 1));
  }

  double MeanOfMoved(const Plane& plane, const float* c, double move_x, double move_y, size_t h, size_t w) const {
    const Extent x(c[0], c[2], p_.scale), y(c[1], c[3], p_.scale);
    const double group = p_.group;
    const double left = x.start + static_cast<double>(w) * x.size / group + move_x * x.size;
    const double top = y.start + static_cast<double>(h) * y.size / group + move_y * y.size;
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < p_.bins_y; i++) {
      const double at_y = top + static_cast<double>(i) * (y.size / group) / p_.bins_y;
      if (!IsNear(at_y, p_.height)) continue;
      for (size_t j = 0; j < p_.bins_x; j++) {
        const double at_x = left + static_cast<double>(j) * (x.size / group) / p_.bins_x;
        if (!IsNear(at_x, p_.width)) continue;
        sum += plane.SampleAt(OnMap(at_y, p_.height), OnMap(at_x, p_.width));
        count++;
      }
    }
    return count > 0 ? sum / static_cast<double>(count) : 0;
  }

  PsroiPoolParams p_;
  bool has_offsets_;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext&) {
  return MakeCall<PreparedPsroiPool>("psroi_pool", call);
}

}  // namespace

const KernelDef kernel_psroi_pool = {"psroi_pool", PsroiPoolParams::Fields, Validate, Prepare};

}  // namespace lowp
