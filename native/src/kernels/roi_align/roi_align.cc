// Checks, preparation and tiling of `roi_align` (roi_align.h).
#include "kernels/roi_align/roi_align.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/prepare_call.h"
#include "kernels/roi_align/row_table.h"

namespace lowp {
namespace {

enum RoiAlignOperand : size_t { kRegions = 0, kImages = 1, kScales = 2, kSizes = 3, kMaps = 4 };

// Samples that a row gets at a time.
constexpr size_t kSamples = 64;

template <class T>
T ConstantAt(const Operand& operand, size_t i) {
  T value;
  std::memcpy(&value, static_cast<const uint8_t*>(operand.constant) + i * sizeof(T), sizeof(T));
  return value;
}

Status ValidateMap(const CallView& call, size_t level) {
  const auto& p = call.Params<RoiAlignParams>();
  const int32_t height = ConstantAt<int32_t>(call.Input(kSizes), 2 * level);
  const int32_t width = ConstantAt<int32_t>(call.Input(kSizes), 2 * level + 1);
  uint64_t elements = 0, bytes = 0;
  LOWP_REQUIRE(height >= 1 && width >= 1, "roi_align: sizes of a map must be positive");
  LOWP_REQUIRE(CheckedProduct(&elements, p.images, height, width, p.channels) &&
                   CheckedMul(elements, sizeof(float), &bytes),
               "roi_align: sizes overflow");
  LOWP_REQUIRE(call.Input(kMaps + level).Is(ElementType::kF32, elements),
               "roi_align: expected maps f32 [images, height, width, channels]");
  return Status();
}

Status Validate(const CallView& call) {
  const auto& p = call.Params<RoiAlignParams>();
  LOWP_REQUIRE(call.inputs.size() > kMaps && call.outputs.size() == 1,
               "roi_align: expected regions, images, scales, sizes, maps and one output");
  LOWP_REQUIRE(p.largest <= 1 && p.by_area <= 1 && p.divides <= 1, "roi_align: flags must be 0 or 1");
  LOWP_REQUIRE(p.sampling_ratio <= kRoiAlignMostSamples, "roi_align: a bin has too many samples");
  LOWP_REQUIRE(p.images >= 1 && p.channels >= 1 && p.pooled_h >= 1 && p.pooled_w >= 1,
               "roi_align: images, channels and bins must be positive");
  const size_t levels = call.inputs.size() - kMaps;
  const Operand images = call.Input(kImages), scales = call.Input(kScales), sizes = call.Input(kSizes);
  uint64_t out = 0, bytes = 0;
  LOWP_REQUIRE(CheckedProduct(&out, p.regions, p.pooled_h, p.pooled_w, p.channels) &&
                   CheckedMul(out, sizeof(float), &bytes),
               "roi_align: sizes overflow");
  LOWP_REQUIRE(call.Input(kRegions).Is(ElementType::kF32, uint64_t{p.regions} * 4),
               "roi_align: expected regions f32 [regions, 4]");
  LOWP_REQUIRE(!images.present || images.Is(ElementType::kI32, p.regions) || images.Is(ElementType::kI64, p.regions),
               "roi_align: expected images i32 or i64 [regions]");
  LOWP_REQUIRE(p.by_area == 1 || levels == 1, "roi_align: several maps need by_area = 1");
  LOWP_REQUIRE(scales.Is(ElementType::kF32, levels) && scales.constant,
               "roi_align: expected constant scales f32 [levels]");
  LOWP_REQUIRE(sizes.Is(ElementType::kI32, levels * 2) && sizes.constant,
               "roi_align: expected constant sizes i32 [levels, 2]");
  for (size_t level = 0; level < levels; level++) LOWP_RETURN_IF_ERROR(ValidateMap(call, level));
  LOWP_REQUIRE(call.Output(0).Is(ElementType::kF32, out),
               "roi_align: y must be f32 [regions, pooled_h, pooled_w, channels]");
  return Status();
}

// Two neighbours along an axis and their weights.
struct Neighbours {
  size_t first = 0, second = 0;
  double w_first = 0, w_second = 0;
};

// False for a position more than one pixel outside.
bool FindNeighbours(double position, int32_t size, Neighbours* n) {
  if (!(position >= -1 && position <= size)) return false;
  const double inside = std::min(std::max(position, 0.0), static_cast<double>(size - 1));
  n->first = static_cast<size_t>(inside);
  n->second = std::min(n->first + 1, static_cast<size_t>(size - 1));
  n->w_second = inside - static_cast<double>(n->first);
  n->w_first = 1 - n->w_second;
  return true;
}

// Samples of a bin along an axis; a bin that would have more has none.
constexpr double kMostSamples = 1 << 30;

// A region along one axis: where bins start, how large they are, and how many samples each has.
struct RegionAxis {
  double start = 0, bin = 0, samples = 0;

  double Position(double bin_start, double i) const { return bin_start + bin / samples * (i + 0.5); }

  // The samples of a bin that may lie on the map: of a huge region most do not.
  void Limits(double bin_start, int32_t size, double* first, double* last) const {
    *first = 0;
    *last = samples <= kMostSamples ? samples : 0;
    const double step = bin / samples;
    if (step != step) *last = 0;
    if (!(step > 0)) return;
    *first = std::max(0.0, std::floor((-1 - bin_start) / step - 0.5));
    *last = std::min(*last, std::ceil((size - bin_start) / step + 0.5));
  }
};

struct Level {
  float scale = 1;
  int32_t height = 1, width = 1;
};

// Samples of a bin on their way to a row.
struct Gathered {
  size_t offsets[4 * kSamples];
  float weights[4 * kSamples];
};

// A tile is a row of bins of a region.
class RoiAlignCall final : public PreparedCall {
 public:
  Status Prepare(const CallView& call, const PrepareContext& context) {
    p_ = call.Params<RoiAlignParams>();
    const Row<RoiAlignRows>& chosen = SelectRow(kRoiAlignRows, context);
    run_ = p_.largest ? chosen.run->take_largest : chosen.run->add;
    row = chosen.name;
    const Operand images = call.Input(kImages);
    has_images_ = images.present;
    wide_images_ = images.type == ElementType::kI64;
    levels_.resize(call.inputs.size() - kMaps);
    for (size_t i = 0; i < levels_.size(); i++) {
      levels_[i].scale = ConstantAt<float>(call.Input(kScales), i);
      levels_[i].height = ConstantAt<int32_t>(call.Input(kSizes), 2 * i);
      levels_[i].width = ConstantAt<int32_t>(call.Input(kSizes), 2 * i + 1);
    }
    packed_inputs = 1u << kScales | 1u << kSizes;
    tiles[0] = size_t{p_.regions} * p_.pooled_h;
    scratch_bytes = sizeof(Gathered);
    const double samples = p_.sampling_ratio ? static_cast<double>(p_.sampling_ratio) * p_.sampling_ratio : 4;
    operations = 8 * samples * static_cast<double>(call.Output(0).elements);
    return Status();
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    for (size_t tile = begin; tile < end; tile++) BinRow(context, tile / p_.pooled_h, tile % p_.pooled_h);
  }

  std::string Describe(const RunContext& context, uint64_t region) const override {
    return "region " + std::to_string(region) + " is in image " + std::to_string(ImageOf(context, region)) +
           ", there are " + std::to_string(p_.images);
  }

 private:
  int64_t ImageOf(const RunContext& context, size_t region) const {
    if (!has_images_) return 0;
    return wide_images_ ? static_cast<const int64_t*>(context.inputs[kImages])[region]
                        : static_cast<const int32_t*>(context.inputs[kImages])[region];
  }

  // The level of a region; levels_.size() for none.
  size_t LevelOf(const float* region) const {
    if (!p_.by_area) return 0;
    const double area = (double{region[2]} - region[0]) * (double{region[3]} - region[1]);
    if (!(area > 0)) return levels_.size();
    const double share = std::sqrt(area) / 224 + 1e-6;
    size_t level = levels_.size() - 1;
    while (level > 0 && share < std::ldexp(0.25, static_cast<int>(level))) level--;
    return level;
  }

  double Corner(double v, const Level& level) const {
    const double moved = v + p_.before;
    return (p_.divides ? moved / level.scale : moved * level.scale) - p_.behind;
  }

  RegionAxis AxisOf(float from, float to, const Level& level, uint32_t bins) const {
    RegionAxis axis;
    axis.start = Corner(from, level);
    const double size = Corner(to, level) - axis.start;
    // NaN stays.
    axis.bin = (size < p_.least ? p_.least : size) / bins;
    axis.samples = p_.sampling_ratio ? p_.sampling_ratio : axis.bin > 0 ? std::ceil(axis.bin) : 0;
    return axis;
  }

  void BinRow(const RunContext& context, size_t region, size_t bin_y) const {
    float* y = static_cast<float*>(context.outputs[0]) + (region * p_.pooled_h + bin_y) * p_.pooled_w * p_.channels;
    std::memset(y, 0, size_t{p_.pooled_w} * p_.channels * sizeof(float));
    const int64_t image = ImageOf(context, region);
    if (image < 0 || image >= int64_t{p_.images}) {
      context.fault->Report(region);
      return;
    }
    const float* corners = static_cast<const float*>(context.inputs[kRegions]) + 4 * region;
    const size_t at = LevelOf(corners);
    if (at == levels_.size()) return;
    const Level& level = levels_[at];
    const RegionAxis down = AxisOf(corners[1], corners[3], level, p_.pooled_h);
    const RegionAxis across = AxisOf(corners[0], corners[2], level, p_.pooled_w);
    const size_t plane = static_cast<size_t>(level.height) * static_cast<size_t>(level.width) * p_.channels;
    SampleTask task;
    task.x = static_cast<const float*>(context.inputs[kMaps + at]) + static_cast<size_t>(image) * plane;
    task.channels = p_.channels;
    for (size_t bin_x = 0; bin_x < p_.pooled_w; bin_x++) {
      task.y = y + bin_x * p_.channels;
      const double top = down.start + static_cast<double>(bin_y) * down.bin;
      const double left = across.start + static_cast<double>(bin_x) * across.bin;
      Bin(down, across, top, left, level, task, reinterpret_cast<Gathered*>(context.scratch));
    }
  }

  void Bin(const RegionAxis& down, const RegionAxis& across, double top, double left, const Level& level,
           SampleTask task, Gathered* gathered) const {
    const double samples = p_.largest ? 1 : down.samples * across.samples;
    const size_t line = static_cast<size_t>(level.width) * p_.channels;
    task.offsets = gathered->offsets;
    task.weights = gathered->weights;
    double first_y, last_y, first_x, last_x;
    down.Limits(top, level.height, &first_y, &last_y);
    across.Limits(left, level.width, &first_x, &last_x);
    size_t count = 0;
    for (double i = first_y; i < last_y; i++) {
      Neighbours v;
      if (!FindNeighbours(down.Position(top, i), level.height, &v)) continue;
      for (double j = first_x; j < last_x; j++) {
        Neighbours h;
        if (!FindNeighbours(across.Position(left, j), level.width, &h)) continue;
        size_t* offsets = gathered->offsets + 4 * count;
        float* weights = gathered->weights + 4 * count;
        for (size_t k = 0; k < 4; k++) {
          offsets[k] = (k < 2 ? v.first : v.second) * line + (k % 2 ? h.second : h.first) * p_.channels;
          weights[k] =
              static_cast<float>((k < 2 ? v.w_first : v.w_second) * (k % 2 ? h.w_second : h.w_first) / samples);
        }
        if (++count < kSamples) continue;
        task.samples = count;
        run_(task);
        count = 0;
      }
    }
    task.samples = count;
    if (count > 0) run_(task);
  }

  RoiAlignParams p_ = {};
  void (*run_)(const SampleTask& task) = nullptr;
  bool has_images_ = false, wide_images_ = false;
  std::vector<Level> levels_;
};

}  // namespace

const KernelDef kernel_roi_align = {"roi_align", RoiAlignParams::Fields, Validate, PrepareCall<RoiAlignCall>};

}  // namespace lowp
