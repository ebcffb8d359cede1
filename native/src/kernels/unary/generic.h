// `unary` over the vector interface; include a simd/vec_*.h before this file.
#pragma once
#include "kernels/unary/rows.h"
#include "simd/elementary.h"

namespace lowp {
namespace {

using namespace simd;

// max(x, low), then min(., high), such that NaN stays NaN.
LOWP_INLINE Vec Confine(Vec x, float low, float high) { return Min(Set(high), Max(Set(low), x)); }

LOWP_INLINE Vec Clamp(Vec x, Vec alpha, Vec beta) { return Min(Max(x, alpha), beta); }
LOWP_INLINE Vec LeakyRelu(Vec x, Vec alpha, Vec) { return Select(Less(x, Set(0.0f)), Mul(alpha, x), x); }
LOWP_INLINE Vec SigmoidOp(Vec x, Vec, Vec) { return Sigmoid(x); }
LOWP_INLINE Vec TanhOp(Vec x, Vec, Vec) { return Tanh(x); }
LOWP_INLINE Vec ExpOp(Vec x, Vec, Vec) { return Exp(x); }
LOWP_INLINE Vec SqrtOp(Vec x, Vec, Vec) { return Sqrt(x); }
LOWP_INLINE Vec AbsOp(Vec x, Vec, Vec) { return Abs(x); }
LOWP_INLINE Vec NegativeOp(Vec x, Vec, Vec) { return Negate(x); }
LOWP_INLINE Vec HSwish(Vec x, Vec, Vec) { return Mul(Mul(x, Confine(Add(x, Set(3.0f)), 0.0f, 6.0f)), Set(0x1.555556p-3f)); }
LOWP_INLINE Vec HSigmoid(Vec x, Vec, Vec) { return Mul(Confine(Add(x, Set(3.0f)), 0.0f, 6.0f), Set(0x1.555556p-3f)); }
LOWP_INLINE Vec Elu(Vec x, Vec alpha, Vec) { return Select(Less(Set(0.0f), x), x, Mul(alpha, ExpMinusOne(x))); }
LOWP_INLINE Vec Swish(Vec x, Vec, Vec beta) { return Mul(x, Sigmoid(Mul(beta, x))); }
LOWP_INLINE Vec GeluErf(Vec x, Vec, Vec) {
  return Mul(Mul(Set(0.5f), x), Add(Set(1.0f), Erf(Mul(x, Set(0x1.6a09e6p-1f)))));
}
LOWP_INLINE Vec SoftplusOp(Vec x, Vec, Vec) { return Softplus(x); }
LOWP_INLINE Vec ErfOp(Vec x, Vec, Vec) { return Erf(x); }
LOWP_INLINE Vec GeluTanh(Vec x, Vec, Vec) {
  const Vec cube = Mul(Mul(x, x), x);
  const Vec inner = Mul(Set(0x1.988454p-1f), Fma(Set(0x1.6e4e26p-5f), cube, x));
  return Mul(Mul(Set(0.5f), x), Add(Set(1.0f), Tanh(inner)));
}
LOWP_INLINE Vec HardSigmoid(Vec x, Vec alpha, Vec beta) { return Confine(Fma(alpha, x, beta), 0.0f, 1.0f); }

LOWP_INLINE Vec Affine(Vec x, Vec alpha, Vec beta) { return Fma(x, alpha, beta); }

LOWP_INLINE Vec RoundEvenOp(Vec x, Vec, Vec) { return RoundEven(x); }
// 1 is exact beside every float that has a fraction.
LOWP_INLINE Vec Floor(Vec x, Vec, Vec) {
  const Vec r = RoundEven(x);
  return Select(Less(x, r), Sub(r, Set(1.0f)), r);
}
LOWP_INLINE Vec Ceiling(Vec x, Vec alpha, Vec beta) { return Negate(Floor(Negate(x), alpha, beta)); }
LOWP_INLINE Vec Sign(Vec x, Vec, Vec) {
  return Select(Less(Set(0.0f), x), Set(1.0f), Select(Less(x, Set(0.0f)), Set(-1.0f), x));
}
LOWP_INLINE Vec Mish(Vec x, Vec, Vec) { return Mul(x, Tanh(Softplus(x))); }
LOWP_INLINE Vec SoftSign(Vec x, Vec, Vec) { return Div(x, Add(Set(1.0f), Abs(x))); }
LOWP_INLINE Vec Selu(Vec x, Vec alpha, Vec beta) { return Mul(beta, Elu(x, alpha, beta)); }

LOWP_INLINE Vec LogOp(Vec x, Vec, Vec) { return Log(x); }
LOWP_INLINE Vec SinOp(Vec x, Vec, Vec) { return Sin(x); }
LOWP_INLINE Vec CosOp(Vec x, Vec, Vec) { return Cos(x); }
// Of a tie |x| - round_even(|x|) is 1/2 where it was rounded down.
LOWP_INLINE Vec RoundAway(Vec x, Vec, Vec) {
  const Vec a = Abs(x), r = RoundEven(a);
  return CopySign(Select(LessOrEqual(Set(0.5f), Sub(a, r)), Add(r, Set(1.0f)), r), x);
}

#define LOWP_UNARY_FUNCTION(Function, Formula)                                       \
  void Function(const float* x, float* y, size_t n, float alpha, float beta) {       \
    const Vec va = Set(alpha), vb = Set(beta);                                       \
    size_t i = 0;                                                                    \
    for (; i + kLanes <= n; i += kLanes) Store(y + i, Formula(Load(x + i), va, vb)); \
    if (i < n) StorePart(y + i, Formula(LoadPart(x + i, n - i), va, vb), n - i);     \
  }

LOWP_UNARY_FUNCTION(RunClamp, Clamp)
LOWP_UNARY_FUNCTION(RunLeakyRelu, LeakyRelu)
LOWP_UNARY_FUNCTION(RunSigmoid, SigmoidOp)
LOWP_UNARY_FUNCTION(RunTanh, TanhOp)
LOWP_UNARY_FUNCTION(RunExp, ExpOp)
LOWP_UNARY_FUNCTION(RunSqrt, SqrtOp)
LOWP_UNARY_FUNCTION(RunAbs, AbsOp)
LOWP_UNARY_FUNCTION(RunNegative, NegativeOp)
LOWP_UNARY_FUNCTION(RunHSwish, HSwish)
LOWP_UNARY_FUNCTION(RunHSigmoid, HSigmoid)
LOWP_UNARY_FUNCTION(RunElu, Elu)
LOWP_UNARY_FUNCTION(RunSwish, Swish)
LOWP_UNARY_FUNCTION(RunGeluErf, GeluErf)
LOWP_UNARY_FUNCTION(RunSoftplus, SoftplusOp)
LOWP_UNARY_FUNCTION(RunErf, ErfOp)
LOWP_UNARY_FUNCTION(RunGeluTanh, GeluTanh)
LOWP_UNARY_FUNCTION(RunHardSigmoid, HardSigmoid)
LOWP_UNARY_FUNCTION(RunRoundEven, RoundEvenOp)
LOWP_UNARY_FUNCTION(RunFloor, Floor)
LOWP_UNARY_FUNCTION(RunCeiling, Ceiling)
LOWP_UNARY_FUNCTION(RunSign, Sign)
LOWP_UNARY_FUNCTION(RunAffine, Affine)
LOWP_UNARY_FUNCTION(RunMish, Mish)
LOWP_UNARY_FUNCTION(RunSoftSign, SoftSign)
LOWP_UNARY_FUNCTION(RunSelu, Selu)
LOWP_UNARY_FUNCTION(RunLog, LogOp)
LOWP_UNARY_FUNCTION(RunSin, SinOp)
LOWP_UNARY_FUNCTION(RunCos, CosOp)
LOWP_UNARY_FUNCTION(RunRoundAway, RoundAway)

#define LOWP_UNARY_ROWS                                                                                          \
  {                                                                                                              \
    {                                                                                                            \
      RunClamp, RunLeakyRelu, RunSigmoid, RunTanh, RunExp, RunSqrt, RunAbs, RunNegative, RunHSwish, RunHSigmoid, \
          RunElu, RunSwish, RunGeluErf, RunSoftplus, RunErf, RunGeluTanh, RunHardSigmoid, RunRoundEven,          \
          RunFloor, RunCeiling, RunSign, RunMish, RunSoftSign, RunSelu, RunLog, RunSin, RunCos, RunRoundAway     \
    },                                                                                                           \
        RunAffine                                                                                                \
  }

}  // namespace
}  // namespace lowp
