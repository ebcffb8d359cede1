// Boxes of an SSD, decoded when they are asked for: most of them never matter.
#pragma once
#include "kernels/common/boxes.h"
#include "kernels/detection_output/detection_output.h"

namespace lowp {

// The boxes of one image.
class BoxDecoder {
 public:
  BoxDecoder(const DetectionOutputParams& p, const RunContext& context, size_t image)
      : p_(p), prior_size_(p.normalized ? 4 : 5), units_{static_cast<double>(p.width), static_cast<double>(p.height)} {
    const size_t predicted = image * p.priors * p.locations * 4;
    locations_ = static_cast<const float*>(context.inputs[0]) + predicted;
    defaults_ = static_cast<const float*>(context.inputs[2]) + image * p.default_stride;
    variances_ = defaults_ + size_t{p.priors} * prior_size_;
    if (context.inputs[4]) moved_ = static_cast<const float*>(context.inputs[4]) + predicted;
  }

  // Of a prior, as it is of a class.
  Box Decode(size_t prior, size_t label) const {
    const float* from = defaults_ + prior * prior_size_ + (prior_size_ - 4);
    const Box first{{from[0], from[1]}, {from[2], from[3]}};
    const size_t at = 4 * (prior * p_.locations + (p_.locations == 1 ? 0 : label));
    const float* variances = p_.variance_encoded ? nullptr : variances_ + 4 * prior;
    if (!moved_) return Apply(Shares(first), locations_ + at, variances);
    return Apply(Shares(Apply(Shares(first), moved_ + at, variances)), locations_ + at, variances);
  }

  // Into [0, 1]; NaN stays, -0 becomes 0.
  static double Clip(double v) { return v != v ? v : v > 1 ? 1.0 : v > 0 ? v : 0.0; }

 private:
  // Default boxes in pixels as shares of the image.
  Box Shares(const Box& b) const {
    if (p_.normalized) return b;
    return {{b.near[0] / units_[0], b.near[1] / units_[1]}, {b.far[0] / units_[0], b.far[1] / units_[1]}};
  }

  Box Apply(const Box& prior, const float* predicted, const float* variances) const {
    double scaled[4];
    for (size_t i = 0; i < 4; i++) scaled[i] = double{predicted[i]} * (variances ? double{variances[i]} : 1.0);
    Box box;
    for (size_t axis = 0; axis < 2; axis++) {
      if (p_.center_size) {
        const double size = prior.far[axis] - prior.near[axis];
        const double center = scaled[axis] * size + (prior.near[axis] + prior.far[axis]) / 2;
        const double half = (ExponentialOf(scaled[axis + 2]) * size) / 2;
        box.near[axis] = center - half;
        box.far[axis] = center + half;
      } else {
        box.near[axis] = scaled[axis] + prior.near[axis];
        box.far[axis] = scaled[axis + 2] + prior.far[axis];
      }
      if (p_.clip_before) {
        box.near[axis] = Clip(box.near[axis]);
        box.far[axis] = Clip(box.far[axis]);
      }
    }
    return box;
  }

  const DetectionOutputParams& p_;
  size_t prior_size_;
  double units_[2];
  const float* locations_;
  const float* defaults_;
  const float* variances_;
  const float* moved_ = nullptr;
};

}  // namespace lowp
