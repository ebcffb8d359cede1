// Convolutions of floats whose products are so few that all weights fit into two thirds of the first-level cache: first
// layers, which read few channels, and 1 x 1 convolutions of few channels.
//
// Where the gemm room makes a padded copy of x and a pointer for every pixel, a thread keeps padded copies of only the lines
// that an output line reads, or reads x in place when nothing needs padding, and pixels are at equal distances. Sums are the
// same chains of fma, in the order (ky, kx, c).
#pragma once
#include "kernels/common/epilogue_operands.h"
#include "kernels/gemm/problem.h"
#include "kernels/kernel.h"

namespace lowp {

struct ShallowRow;

// Sizes of a convolution, as `convolution` describes it.
struct ShallowShape {
  uint32_t in_d, in_c, in_stride, out_d, out_h, out_w, out_c, out_stride, out_offset, kernel_d, kernel_h, kernel_w, stride_h,
      stride_w, dilation_h, dilation_w, groups;

  template <class Params>
  static ShallowShape Of(const Params& p) {
    return {p.in_d,     p.in_c,     p.in_stride, p.out_d,    p.out_h,    p.out_w,      p.out_c,      p.out_stride, p.out_offset,
            p.kernel_d, p.kernel_h, p.kernel_w,  p.stride_h, p.stride_w, p.dilation_h, p.dilation_w, p.groups};
  }
};

// The row for a convolution that `problem` describes, or null: it belongs to the gemm room.
const ShallowRow* SelectShallowRow(const ShallowShape& shape, const GemmProblem& problem,
                                   const PrepareContext& context);

// kMemory when memory is exhausted.
Result<PreparedPtr> PrepareShallow(const CallView& call, const ShallowShape& shape, const EpilogueSettings& settings,
                                   const ShallowRow& row, const GemmProblem& problem, size_t threads);

}  // namespace lowp
