// exp, log, erf, tanh, sigmoid, softplus, sin and cos over the vector interface; include a vec_*.h before this file.
//
// One sequence of operations for every instruction set, so that results are bit-equal. Every polynomial was fitted by
// weighted minimax over the stated interval and rounded to float; errors are against the exact function, in ulp of the
// result, and are checked by unary_test.cc.
#pragma once

namespace lowp::simd {
namespace {

// x = n ln 2 + r with |r| <= ln 2 / 2: n as a float, n + kRoundingShift, and r.
struct Reduced {
  Vec n, shifted, r;
};

// |x| < 2^20. n = round(x log2 e); ln 2 in two parts, the first with 15 bits, so that n * part is exact.
LOWP_INLINE Reduced ReduceByLog2(Vec x) {
  Reduced out;
  out.shifted = Fma(x, Set(0x1.715476p+0f), Set(kRoundingShift));
  out.n = Sub(out.shifted, Set(kRoundingShift));
  out.r = Fma(out.n, Set(-0x1.62e400p-1f), x);
  out.r = Fma(out.n, Set(-0x1.7f7d1cp-20f), out.r);
  return out;
}

// q with exp(r) = 1 + r + r^2 q, relative error of exp 2^-28 on |r| <= ln 2 / 2.
LOWP_INLINE Vec ExpTail(Vec r) {
  Vec q = Set(0x1.6a2252p-10f);
  q = Fma(q, r, Set(0x1.123b04p-7f));
  q = Fma(q, r, Set(0x1.5558f8p-5f));
  q = Fma(q, r, Set(0x1.555490p-3f));
  return Fma(q, r, Set(0x1.fffffcp-2f));
}

// exp(x), at most 1 ulp. Above 88.723 Inf; below -103.973 zero; denormal results are rounded once; NaN stays NaN.
LOWP_INLINE Vec Exp(Vec x) {
  x = Min(Set(89.0f), Max(Set(-104.0f), x));
  const Reduced d = ReduceByLog2(x);
  const Vec p = Fma(Fma(ExpTail(d.r), d.r, Set(1.0f)), d.r, Set(1.0f));
  return ScaleByPower(p, d.shifted, d.n);
}

// exp(x) - 1 for x <= 0 without cancellation, at most 2 ulp; any value for x > 0; NaN stays NaN.
LOWP_INLINE Vec ExpMinusOne(Vec x) {
  const Reduced d = ReduceByLog2(Max(Set(-30.0f), x));
  const Vec scale = ScaleByPower(Set(1.0f), d.shifted, d.n);
  const Vec tail = Fma(Mul(d.r, d.r), ExpTail(d.r), d.r);
  return Fma(tail, scale, Sub(scale, Set(1.0f)));
}

// 1 / (1 + exp(-x)) = (x < 0 ? e : 1) / (1 + e) with e = exp(-|x|), at most 3 ulp; 0 at -Inf, 1 at Inf.
LOWP_INLINE Vec Sigmoid(Vec x) {
  const Vec one = Set(1.0f);
  const Vec e = Exp(Negate(Abs(x)));
  return Div(Select(Less(x, Set(0.0f)), e, one), Add(one, e));
}

// tanh(x), odd, at most 2 ulp: x + x^3 P(x^2) below 0.625, 1 - 2 / (exp(2 |x|) + 1) above.
LOWP_INLINE Vec Tanh(Vec x) {
  const Vec a = Abs(x);
  const Vec s = Mul(a, a);
  Vec p = Set(-0x1.75bf78p-8f);
  p = Fma(p, s, Set(0x1.521e9ap-6f));
  p = Fma(p, s, Set(-0x1.b83b12p-5f));
  p = Fma(p, s, Set(0x1.11071cp-3f));
  p = Fma(p, s, Set(-0x1.555532p-2f));
  const Vec small = Fma(Mul(a, s), p, a);
  const Vec large = Sub(Set(1.0f), Div(Set(2.0f), Add(Exp(Add(a, a)), Set(1.0f))));
  return CopySign(Select(Less(a, Set(0.625f)), small, large), x);
}

// Of values from 0 on: subnormals give 0, NaN stays.
LOWP_INLINE Vec FlushSubnormals(Vec x) { return Select(Less(x, Set(0x1p-126f)), Set(0.0f), x); }

// erf(x), odd, at most 2 ulp: x + x P(x^2) below 0.921875, 1 - exp(Q(|x|)) above, Q = log erfc on [0.9, 4].
LOWP_INLINE Vec Erf(Vec x) {
  const Vec a = Abs(x);
  const Vec s = Mul(a, a);
  Vec p = Set(0x1.574ebep-14f);
  p = Fma(p, s, Set(-0x1.a88d86p-11f));
  p = Fma(p, s, Set(0x1.549662p-8f));
  p = Fma(p, s, Set(-0x1.b80962p-6f));
  p = Fma(p, s, Set(0x1.ce2dcap-4f));
  p = Fma(p, s, Set(-0x1.812742p-2f));
  p = Fma(p, s, Set(0x1.06eba8p-3f));
  const Vec small = Fma(a, p, a);
  const Vec t = Min(Set(4.0f), a);
  Vec q = Set(-0x1.5ecddcp-16f);
  q = Fma(q, t, Set(0x1.c54d74p-12f));
  q = Fma(q, t, Set(-0x1.10aa10p-8f));
  q = Fma(q, t, Set(0x1.9b195ep-6f));
  q = Fma(q, t, Set(-0x1.bb5652p-4f));
  q = Fma(q, t, Set(-0x1.444b42p-1f));
  q = Fma(q, t, Set(-0x1.212698p+0f));
  q = Fma(q, t, Set(0x1.65ac6cp-13f));
  const Vec large = Sub(Set(1.0f), Exp(q));
  return CopySign(Select(Less(a, Set(0.921875f)), small, large), x);
}

// log(1 + exp(x)) = max(x, 0) + log(1 + e), e = exp(-|x|), at most 3 ulp.
// log(1 + e) = 2 atanh(s) = 2 s + 2 s^3 P(s^2) with s = e / (2 + e) in [0, 1/3].
LOWP_INLINE Vec Softplus(Vec x) {
  const Vec e = Exp(Negate(Abs(x)));
  const Vec s = Div(e, Add(Set(2.0f), e));
  const Vec z = Mul(s, s);
  Vec p = Set(0x1.f1aee8p-4f);
  p = Fma(p, z, Set(0x1.b6d6a2p-4f));
  p = Fma(p, z, Set(0x1.250972p-3f));
  p = Fma(p, z, Set(0x1.9996a8p-3f));
  p = Fma(p, z, Set(0x1.555558p-2f));
  const Vec twice = Add(s, s);
  return Add(Max(Set(0.0f), x), Fma(Mul(twice, z), p, twice));
}

// log(x), at most 1 ulp; -Inf at 0, NaN below, Inf at Inf. x = m 2^e, log m = f - f^2 / 2 + f^3 P(f) with f = m - 1.
LOWP_INLINE Vec Log(Vec x) {
  const Mask is_small = Less(x, Set(0x1p-126f));
  Vec m;
  const Vec power = SplitPower(Select(is_small, Mul(x, Set(0x1p23f)), x), &m);
  const Vec e = Select(is_small, Sub(power, Set(23.0f)), power);
  const Vec f = Sub(m, Set(1.0f));
  Vec p = Set(0x1.1457a6p-4f);
  p = Fma(p, f, Set(-0x1.de3c16p-4f));
  p = Fma(p, f, Set(0x1.e6f06ap-4f));
  p = Fma(p, f, Set(-0x1.fc2208p-4f));
  p = Fma(p, f, Set(0x1.233768p-3f));
  p = Fma(p, f, Set(-0x1.555c4ep-3f));
  p = Fma(p, f, Set(0x1.99a4b6p-3f));
  p = Fma(p, f, Set(-0x1.000006p-2f));
  p = Fma(p, f, Set(0x1.555548p-2f));
  const Vec square = Mul(f, f);
  const Vec tail = Fma(Mul(square, f), p, Mul(square, Set(-0.5f)));
  const Vec low = Add(f, Fma(e, Set(0x1.7f7d1cp-20f), tail));
  const Vec y = Fma(e, Set(0x1.62e400p-1f), low);
  const Vec of_rest = Select(LessOrEqual(x, Set(0.0f)), Set(-__builtin_inff()), x);
  const Vec of_positive = Select(Less(x, Set(__builtin_inff())), y, x);
  return Select(Less(x, Set(0.0f)), Set(__builtin_nanf("")), Select(Less(Set(0.0f), x), of_positive, of_rest));
}

// x = n pi / 2 + r with |r| <= pi / 4, pi / 2 in three parts. Up to |x| = 131072 the products with the first part are
// exact.
LOWP_INLINE Vec ReduceByQuarterTurns(Vec x, Vec* n) {
  *n = RoundEven(Mul(x, Set(0x1.45f306p-1f)));
  const Vec turns = Negate(*n);
  const Vec first = Fma(turns, Set(0x1.921fb6p+0f), x);
  return Fma(turns, Set(-0x1.ee59dap-50f), Fma(turns, Set(-0x1.777a5cp-25f), first));
}

// sin(r), or its cosine where n is odd, with the sign of sin(r + n pi / 2).
LOWP_INLINE Vec SineOfQuarters(Vec r, Vec n) {
  const Vec z = Mul(r, r);
  Vec s = Set(0x1.6cd1d2p-19f);
  s = Fma(s, z, Set(-0x1.a00f7ep-13f));
  s = Fma(s, z, Set(0x1.111108p-7f));
  s = Fma(s, z, Set(-0x1.555556p-3f));
  const Vec sine = Fma(Mul(r, z), s, r);
  Vec c = Set(0x1.99eb74p-16f);
  c = Fma(c, z, Set(-0x1.6c0c34p-10f));
  c = Fma(c, z, Set(0x1.55554ap-5f));
  const Vec cosine = Fma(Mul(z, z), c, Fma(z, Set(-0.5f), Set(1.0f)));
  // n modulo 4 in [-2, 2].
  const Vec quarter = Fma(RoundEven(Mul(n, Set(0.25f))), Set(-4.0f), n);
  const Vec distance = Abs(Sub(Abs(quarter), Set(1.0f)));
  const Vec y = Select(Less(distance, Set(0.5f)), cosine, sine);
  const Mask is_upper = Less(Abs(Sub(quarter, Set(0.5f))), Set(1.0f));
  return Select(is_upper, y, Negate(y));
}

// sin(x) and cos(x) for |x| <= 131072, at most 2 ulp; anything beyond it.
LOWP_INLINE Vec Sin(Vec x) {
  Vec n;
  const Vec r = ReduceByQuarterTurns(x, &n);
  return Select(Less(Set(0.0f), Abs(x)), SineOfQuarters(r, n), x);
}
LOWP_INLINE Vec Cos(Vec x) {
  Vec n;
  const Vec r = ReduceByQuarterTurns(x, &n);
  return SineOfQuarters(r, Add(n, Set(1.0f)));
}

}  // namespace
}  // namespace lowp::simd
