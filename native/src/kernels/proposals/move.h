// The boxes that `proposals` chooses from: anchors of every cell, moved by what the network says about them.
#pragma once
#include "kernels/common/boxes.h"
#include "kernels/proposals/proposals.h"

namespace lowp {

// Candidates of one image; candidate = cell * anchors + anchor.
class Candidates {
 public:
  Candidates(const ProposalsParams& p, const RunContext& context, size_t image) : p_(p) {
    cells_ = size_t{p.rows} * p.columns;
    scores_ = static_cast<const float*>(context.inputs[0]) + (image * p.score_planes + p.first_score) * cells_;
    deltas_ = static_cast<const float*>(context.inputs[1]) + image * p.anchors * 4 * cells_;
    boxes_ = static_cast<const float*>(context.inputs[3]);
    const float* sizes = static_cast<const float*>(context.inputs[2]) + image * p.size_stride;
    limit_[0] = sizes[1];
    limit_[1] = sizes[0];
    least_[0] = p.scaled ? double{p.least_size} * sizes[p.size_count - 1] : p.least_size;
    least_[1] = p.scaled ? double{p.least_size} * sizes[2] : p.least_size;
  }

  float ScoreOf(size_t candidate) const { return scores_[candidate % p_.anchors * cells_ + candidate / p_.anchors]; }
  double width() const { return limit_[0]; }
  double height() const { return limit_[1]; }

  // NaN stays, and no zero is negative.
  static double Clip(double v, double limit) { return MostOf(LeastOf(v, limit), 0.0); }
  Box ClipTo(Box box, double off) const {
    for (size_t axis = 0; axis < 2; axis++) {
      box.near[axis] = Clip(box.near[axis], limit_[axis] - off);
      box.far[axis] = Clip(box.far[axis], limit_[axis] - off);
    }
    return box;
  }

  Box Move(size_t candidate) const {
    const size_t cell = candidate / p_.anchors, anchor = candidate % p_.anchors;
    const float* delta = deltas_ + anchor * 4 * cells_ + cell;
    double shift[2], growth[2];
    for (size_t axis = 0; axis < 2; axis++) {
      shift[axis] = double{delta[axis * cells_]} / p_.coordinate_scale;
      growth[axis] = double{delta[(axis + 2) * cells_]} / p_.size_scale;
    }
    const Box box =
        Refine(AnchorOf(candidate, cell, anchor), shift, growth, p_.extent, p_.back, p_.max_delta_log_wh);
    return p_.clip_before ? ClipTo(box, p_.extent) : box;
  }

  bool IsLarge(const Box& box) const {
    return box.far[0] - box.near[0] + p_.extent >= least_[0] && box.far[1] - box.near[1] + p_.extent >= least_[1];
  }

 private:
  Box AnchorOf(size_t candidate, size_t cell, size_t anchor) const {
    const bool shifts = p_.step != 0;
    const float* from = boxes_ + 4 * (shifts ? anchor : candidate);
    double shift[2] = {0, 0};
    if (shifts) {
      const double row = static_cast<double>(cell / p_.columns), column = static_cast<double>(cell % p_.columns);
      shift[0] = (p_.turned ? row : column) * p_.step;
      shift[1] = (p_.turned ? column : row) * p_.step;
    }
    Box box;
    for (size_t axis = 0; axis < 2; axis++) {
      box.near[axis] = from[axis] + shift[axis];
      box.far[axis] = from[axis + 2] + shift[axis];
    }
    return p_.clip_anchors ? ClipTo(box, 0) : box;
  }

  const ProposalsParams& p_;
  size_t cells_ = 1;
  const float* scores_ = nullptr;
  const float* deltas_ = nullptr;
  const float* boxes_ = nullptr;
  double limit_[2], least_[2];
};

}  // namespace lowp
