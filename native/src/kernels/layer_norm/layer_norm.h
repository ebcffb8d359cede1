// Kernel `layer_norm`: each row minus its mean, divided by its standard deviation, with an optional scale and shift per
// column: layer normalization, and MVN over the last axes.
//
// in 0  x      f32 [rows, columns]
// in 1  gamma  f32[columns], may be absent; then beta is absent too
// in 2  beta   f32[columns], may be absent
// out 0 y      f32 or u8 [rows, columns]; f32 y may be x itself
// out 1 q      u8 [rows, columns], the bytes of an f32 y; may be missing
//
//   sum(v)   32 partial sums, s[i mod 32] += v_i in order of i from 0; then s[j] += s[j + 16] for j < 16, likewise with
//            8, 4 and 2, and s[0] + s[1]
//   mean     sum(x) / columns
//   d_i      x_i - mean
//   var      sum(d^2) / columns, where s[i mod 32] = fma(d_i, d_i, s[i mod 32])
//   factor   1 / sqrt(var + eps), with outside 1: 1 / (sqrt(var) + eps); with variance 0: 1
//   y_i      d_i * factor; with gamma: fma(d_i * factor, gamma_i, beta_i), an absent beta being -0
//   bytes    round_even(fma(y_i, inv_scale, shift)) saturated to [0, 255], NaN gives 0; then at least byte_low, at most
//            byte_high
//
// Every line is one rounding of each operation. All rows are bit-equal but for the payload of NaN.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_LAYER_NORM_PARAMS(F)                                                                      \
  F(u32, rows) F(u32, columns) F(u32, variance) F(u32, outside) F(f32, eps) F(f32, inv_scale) F(f32, shift) \
  F(u32, byte_low) F(u32, byte_high)
LOWP_PARAMS(LayerNormParams, LOWP_LAYER_NORM_PARAMS)

extern const KernelDef kernel_layer_norm;

}  // namespace lowp
