// Copies a strided block of elements: transpose, slice, pad, concat, split, broadcast and reversal.
//
//   y[out_offset + sum_j i_j * out_stride_j] = x[in_offset + sum_j i_j * in_stride_j],  0 <= i_j < d_j, j < rank
//
// Inputs: 0 x. Outputs: 0 y, of the same element type (1, 2, 4 or 8 bytes). Strides and offsets count elements.
// Input strides may be negative (reversal) or 0 (broadcast); output positions are all different, which validate proves
// from output strides that nest. Elements of y that are not addressed keep their values. x and y do not overlap.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define COPY_PARAMS(F)                                                                                      \
  F(u32, rank)                                                                                              \
  F(u32, d0) F(u32, d1) F(u32, d2) F(u32, d3) F(u32, d4) F(u32, d5)                                         \
  F(i32, in_stride0) F(i32, in_stride1) F(i32, in_stride2) F(i32, in_stride3) F(i32, in_stride4) F(i32, in_stride5) \
  F(u32, in_offset)                                                                                         \
  F(i32, out_stride0) F(i32, out_stride1) F(i32, out_stride2) F(i32, out_stride3) F(i32, out_stride4)       \
  F(i32, out_stride5)                                                                                       \
  F(u32, out_offset)

LOWP_PARAMS(CopyParams, COPY_PARAMS)

constexpr size_t kCopyMaxRank = 6;

// The params with their loops as arrays.
struct CopyGeometry {
  uint32_t rank = 0;
  uint32_t counts[kCopyMaxRank] = {};
  int32_t in_strides[kCopyMaxRank] = {};
  int32_t out_strides[kCopyMaxRank] = {};
  uint32_t in_offset = 0;
  uint32_t out_offset = 0;

  static CopyGeometry Of(const CopyParams& p) {
    return {p.rank,
            {p.d0, p.d1, p.d2, p.d3, p.d4, p.d5},
            {p.in_stride0, p.in_stride1, p.in_stride2, p.in_stride3, p.in_stride4, p.in_stride5},
            {p.out_stride0, p.out_stride1, p.out_stride2, p.out_stride3, p.out_stride4, p.out_stride5},
            p.in_offset,
            p.out_offset};
  }
};

extern const KernelDef kernel_copy;

}  // namespace lowp
