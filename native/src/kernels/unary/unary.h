// Kernel `unary`: a function of one f32 value, as f32 or as a byte.
//
//   op  0 clamp       min(max(x, alpha), beta); max(v, l) = v > l ? v : l, min(v, h) = v < h ? v : h
//       1 leaky_relu  x < 0 ? alpha * x : x
//       2 sigmoid     1 / (1 + exp(-x))
//       3 tanh
//       4 exp
//       5 sqrt
//       6 abs
//       7 negative
//       8 hswish      (x * relu6(x + 3)) * s, s the float nearest to 1/6
//       9 hsigmoid    relu6(x + 3) * s
//      10 elu         x > 0 ? x : alpha * (exp(x) - 1)
//      11 swish       x * sigmoid(beta * x)
//      12 gelu_erf    (x / 2) * (1 + erf(x * sqrt(1/2)))
//      13 softplus    log(1 + exp(x))
//      14 erf
//      15 gelu_tanh   (x / 2) * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))
//      16 hard_sigmoid  min(max(fma(alpha, x, beta), 0), 1)
//      17 round_even  to the nearest whole number, ties to the even one
//      18 floor       19 ceiling
//      20 sign        -1, 1, or x where it is zero
//      21 mish        x * tanh(softplus(x))
//      22 soft_sign   x / (1 + |x|)
//      23 selu        beta * elu(x)
//      24 log         25 sin  26 cos
//      27 round_away  to the nearest whole number, ties away from zero
//      28 tan  29 asin  30 acos  31 atan  32 sinh  33 cosh  34 asinh  35 acosh  36 atanh
//
// in 0 x f32[elements], out 0 y f32[elements], which may be x itself, or u8[elements]. A result r is stored as
// fma(r, inv_scale, shift), which is r for 1 and 0; its byte is that, rounded to even and saturated to [0, 255], NaN gives
// 0; then at least byte_low, at most byte_high.
// The algorithms of exp, log, erf, tanh, sigmoid, softplus, sin and cos with their errors are in simd/elementary.h; sin
// and cos of |x| > 131072 and the functions from 28 on are those of the C library in doubles, rounded: equal on all rows
// of one machine, not on every machine. NaN gives NaN,
// except in clamp, where it gives min(alpha, beta); hswish, swish, gelu_erf, gelu_tanh and mish give NaN at -Inf,
// soft_sign at both infinities. All rows are bit-equal but for the payload of NaN.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_UNARY_PARAMS(F)                                                                             \
  F(u32, op) F(u32, elements) F(f32, alpha) F(f32, beta) F(f32, inv_scale) F(f32, shift) F(u32, byte_low) \
  F(u32, byte_high)
LOWP_PARAMS(UnaryParams, LOWP_UNARY_PARAMS)

extern const KernelDef kernel_unary;

}  // namespace lowp
