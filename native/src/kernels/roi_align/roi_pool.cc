// Checks, preparation and tiling of `roi_pool` (roi_pool.h).
#include "kernels/roi_align/roi_pool.h"

#include <cstring>

#include "kernels/common/regions.h"
#include "kernels/prepare_call.h"
#include "kernels/roi_align/row_table.h"

namespace lowp {
namespace {

Status Validate(const CallView& call) {
  const auto& p = call.Params<RoiPoolParams>();
  LOWP_REQUIRE(call.inputs.size() == 2 && call.outputs.size() == 1, "roi_pool: expected two inputs and one output");
  LOWP_REQUIRE(p.bilinear <= 1, "roi_pool: bilinear must be 0 or 1");
  LOWP_REQUIRE(p.images >= 1 && p.height >= 1 && p.width >= 1 && p.channels >= 1 && p.pooled_h >= 1 && p.pooled_w >= 1,
               "roi_pool: sizes must be positive");
  uint64_t in = 0, out = 0, bytes = 0;
  LOWP_REQUIRE(CheckedProduct(&in, p.images, p.height, p.width, p.channels) &&
                   CheckedProduct(&out, p.regions, p.pooled_h, p.pooled_w, p.channels) &&
                   CheckedMul(in, sizeof(float), &bytes) && CheckedMul(out, sizeof(float), &bytes),
               "roi_pool: sizes overflow");
  LOWP_REQUIRE(call.Input(0).Is(ElementType::kF32, in), "roi_pool: x must be f32 [images, height, width, channels]");
  LOWP_REQUIRE(call.Input(1).Is(ElementType::kF32, uint64_t{p.regions} * 5),
               "roi_pool: expected regions f32 [regions, 5]");
  LOWP_REQUIRE(call.Output(0).Is(ElementType::kF32, out), "roi_pool: y must be f32 [regions, pooled_h, pooled_w, channels]");
  return Status();
}

// The pixels of a bin along an axis.
ElementRange BinOf(double from, double to, size_t bin, size_t bins, size_t size) {
  const double start = std::round(from);
  double length = std::round(to) - start + 1;
  if (length < 1) length = 1;
  const double each = length / static_cast<double>(bins);
  const double first = std::floor(static_cast<double>(bin) * each), end = std::ceil(static_cast<double>(bin + 1) * each);
  return RangeInside(first + start, end + start, size, size);
}

// Two neighbours along an axis and the share of the second one.
struct Sample {
  size_t first = 0, second = 0;
  double share = 0;
};

// Sample `bin` from one corner to the other; false outside of the map.
bool SampleOf(double from, double to, size_t bin, size_t bins, size_t size, Sample* sample) {
  const double last = static_cast<double>(size - 1);
  const double step = (to - from) * last / (static_cast<double>(bins) - 1);
  const double position = bins == 1         ? (from + to) / 2 * last
                          : bin == bins - 1 ? to * last
                                            : from * last + static_cast<double>(bin) * step;
  if (!(position >= 0 && position <= last)) return false;
  sample->first = static_cast<size_t>(position);
  sample->share = position - static_cast<double>(sample->first);
  sample->second = sample->share > 0 ? sample->first + 1 : sample->first;
  return true;
}

// Phase 0 finds the end of the list. A tile of phase 1 is a row of bins of a region.
class RoiPoolCall final : public PreparedCall {
 public:
  Status Prepare(const CallView& call, const PrepareContext& context) {
    p_ = call.Params<RoiPoolParams>();
    const Row<RoiAlignRows>& chosen = SelectRow(kRoiAlignRows, context);
    run_ = chosen.run;
    row = chosen.name;
    phases = 2;
    tiles[1] = size_t{p_.regions} * p_.pooled_h;
    shared_bytes = sizeof(size_t);
    operations = static_cast<double>(call.Output(0).elements) * (p_.bilinear ? 8 : 4);
    return Status();
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    size_t* valid = reinterpret_cast<size_t*>(context.shared);
    if (phase == 0) {
      if (begin < end) *valid = ListOf(context).CountValid(context.fault);
      return;
    }
    for (size_t tile = begin; tile < end; tile++) BinRow(context, tile / p_.pooled_h, tile % p_.pooled_h, *valid);
  }

  std::string Describe(const RunContext& context, uint64_t region) const override {
    return ListOf(context).Describe(region);
  }

 private:
  RegionList ListOf(const RunContext& context) const {
    return {static_cast<const float*>(context.inputs[1]), p_.regions, p_.images};
  }

  void BinRow(const RunContext& context, size_t region, size_t bin_y, size_t valid) const {
    float* y = static_cast<float*>(context.outputs[0]) + (region * p_.pooled_h + bin_y) * p_.pooled_w * p_.channels;
    if (region >= valid || p_.bilinear) std::memset(y, 0, size_t{p_.pooled_w} * p_.channels * sizeof(float));
    if (region >= valid) return;
    const RegionList list = ListOf(context);
    const float* x = static_cast<const float*>(context.inputs[0]) +
                     list.ImageOf(region) * p_.height * p_.width * p_.channels;
    for (size_t bin_x = 0; bin_x < p_.pooled_w; bin_x++, y += p_.channels) {
      if (p_.bilinear) {
        SampleBin(x, list.Corners(region), bin_y, bin_x, y);
      } else {
        LargestOfBin(x, list.Corners(region), bin_y, bin_x, y);
      }
    }
  }

  void LargestOfBin(const float* x, const float* c, size_t bin_y, size_t bin_x, float* y) const {
    const double scale = p_.scale;
    const ElementRange rows = BinOf(c[1] * scale, c[3] * scale, bin_y, p_.pooled_h, p_.height);
    const ElementRange columns = BinOf(c[0] * scale, c[2] * scale, bin_x, p_.pooled_w, p_.width);
    PixelsTask task;
    task.x = x + (rows.first * p_.width + columns.first) * p_.channels;
    task.rows = rows.Count();
    task.columns = columns.Count();
    task.line = size_t{p_.width} * p_.channels;
    task.y = y;
    task.channels = p_.channels;
    if (task.rows * task.columns > 0) {
      run_->largest_pixel(task);
    } else {
      std::memset(y, 0, p_.channels * sizeof(float));
    }
  }

  void SampleBin(const float* x, const float* c, size_t bin_y, size_t bin_x, float* y) const {
    Sample v, h;
    if (!SampleOf(c[1], c[3], bin_y, p_.pooled_h, p_.height, &v)) return;
    if (!SampleOf(c[0], c[2], bin_x, p_.pooled_w, p_.width, &h)) return;
    size_t offsets[4];
    float weights[4];
    for (size_t k = 0; k < 4; k++) {
      offsets[k] = ((k < 2 ? v.first : v.second) * p_.width + (k % 2 ? h.second : h.first)) * p_.channels;
      weights[k] = static_cast<float>((k < 2 ? 1 - v.share : v.share) * (k % 2 ? h.share : 1 - h.share));
    }
    SampleTask task;
    task.x = x;
    task.offsets = offsets;
    task.weights = weights;
    task.samples = 1;
    task.y = y;
    task.channels = p_.channels;
    run_->add(task);
  }

  RoiPoolParams p_ = {};
  const RoiAlignRows* run_ = nullptr;
};

}  // namespace

const KernelDef kernel_roi_pool = {"roi_pool", RoiPoolParams::Fields, Validate, PrepareCall<RoiPoolCall>};

}  // namespace lowp
