// A matrix product with indirect rows, as convolution and matmul describe it:
// y[p, n] = sum over k of x(p, k) * w(n, k).
//
// Row p of x is not a stretch of memory but a list of runs, each at a fixed distance from the row's pointer. The
// pointer of pixel p = (b, z, y, x) is b * step_b + z * step_z + y * step_y + x * step_x. Groups take disjoint channels
// of the rows.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/gemm/padded_copy.h"

namespace lowp {

// Bytes from one output pixel's row to the next one's. Columns from `back_from` on are those `back` columns before.
struct RowWalk {
  size_t out_d = 1;
  size_t out_h = 1;
  size_t out_w = 1;
  size_t step_b = 0;
  size_t step_z = 0;
  size_t step_y = 0;
  size_t step_x = 0;
  size_t back_from = SIZE_MAX;
  size_t back = 0;
};

// Consecutive elements of x.
struct Run {
  int64_t offset = 0;  // elements from the row's pointer
  size_t length = 0;   // elements
};

constexpr size_t kNoWeight = SIZE_MAX;

// Where results go when they are not one after the other: pixel (b, z, y, x) is output pixel
// first + b * step_b + z * step_z + y * step_y + x * step_x.
struct Scatter {
  bool needed = false;
  size_t first = 0;
  size_t step_b = 0;
  size_t step_z = 0;
  size_t step_y = 0;
  size_t step_x = 1;
};

// Biases that depend on where an output pixel is: those of pixel (b, z, y, x) are set
// (of_z[z] * sets_y + of_y[y]) * sets_x + of_x[x]. Without sets all pixels have the call's bias.
struct PlacedBias {
  std::vector<uint32_t> of_z, of_y, of_x;
  size_t sets_y = 1;
  size_t sets_x = 1;
  size_t pitch = 0;           // from set to set; kEpilogueSlack more than channels
  std::vector<float> values;  // [sets][pitch]

  bool needed() const { return !values.empty(); }
  size_t SetOf(size_t z, size_t y, size_t x) const { return (of_z[z] * sets_y + of_y[y]) * sets_x + of_x[x]; }
  // Pixels of a line with the set of x, from x on, at most `most`.
  size_t Alike(size_t x, size_t most) const {
    size_t count = 1;
    while (count < most && of_x[x + count] == of_x[x]) count++;
    return count;
  }
};

struct GemmProblem {
  bool integer = false;
  size_t pixels = 0;
  size_t groups = 1;
  size_t group_columns = 0;      // output channels per group
  size_t group_stride = 0;       // elements of x from one group's channels to the next one's
  RowWalk walk;
  std::vector<Run> runs;
  // By element of the runs, in order: index within an output channel's weights, or kNoWeight for a weight of 0.
  std::vector<size_t> source;
  const void* weights = nullptr; // any alignment; channel n's weights begin at element n * weight_stride
  size_t weight_stride = 0;
  size_t depth = 0;              // products per output, for the operation count
  int32_t zero_point = 0;        // of x
  size_t fresh_bytes = 0;        // bytes of x per pixel that its neighbours do not read
  PaddedCopy copy;               // of x, when `copy.needed`; rows then point into the copy
  Scatter scatter;               // of y and the residual, when `scatter.needed`
  PlacedBias bias;               // not together with `scatter`
  size_t out_stride = 0;
  size_t out_offset = 0;
};

}  // namespace lowp
