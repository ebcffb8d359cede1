// `reduce` over the vector interface; include simd/vec_avx2.h or simd/vec_avx512.h before this file.
#pragma once
#include "kernels/reduce/rows.h"
#include "simd/steps.h"

namespace lowp {
namespace {

using namespace simd;

// Vectors of 32 elements of a row, and of 64 columns.
constexpr size_t kRowVectors = 32 / kLanes;
constexpr size_t kColumnVectors = 64 / kLanes;

LOWP_INLINE Vec NanOr(Vec x, Vec otherwise) { return Select(LessOrEqual(x, x), otherwise, x); }

struct SumOp {
  static constexpr float kStart = 0.0f;
  static LOWP_INLINE Vec Step(Vec x, Vec s) { return Add(s, x); }
  static LOWP_INLINE Vec Join(Vec a, Vec b) { return Add(a, b); }
  static LOWP_INLINE float JoinOne(float a, float b) { return a + b; }
};
struct MaxOp {
  static constexpr float kStart = -__builtin_inff();
  static LOWP_INLINE Vec Step(Vec x, Vec s) { return NanOr(x, Max(x, s)); }
  static LOWP_INLINE Vec Join(Vec a, Vec b) { return Step(b, a); }
  static LOWP_INLINE float JoinOne(float a, float b) { return b != b || b > a ? b : a; }
};
struct MinOp {
  static constexpr float kStart = __builtin_inff();
  static LOWP_INLINE Vec Step(Vec x, Vec s) { return NanOr(x, Min(x, s)); }
  static LOWP_INLINE Vec Join(Vec a, Vec b) { return Step(b, a); }
  static LOWP_INLINE float JoinOne(float a, float b) { return b != b || b < a ? b : a; }
};
struct ProdOp {
  static constexpr float kStart = 1.0f;
  static LOWP_INLINE Vec Step(Vec x, Vec s) { return Mul(s, x); }
  static LOWP_INLINE Vec Join(Vec a, Vec b) { return Mul(a, b); }
  static LOWP_INLINE float JoinOne(float a, float b) { return a * b; }
};
struct SumAbsOp : SumOp {
  static LOWP_INLINE Vec Step(Vec x, Vec s) { return Add(s, Abs(x)); }
};
struct SumSquaresOp : SumOp {
  static LOWP_INLINE Vec Step(Vec x, Vec s) { return Fma(x, x, s); }
};

// Joins 32 partial results; the last vector alone.
template <class Op>
LOWP_INLINE float Fold(Vec (&s)[kRowVectors]) {
#pragma GCC unroll 2
  for (size_t half = kRowVectors / 2; half > 0; half /= 2)
#pragma GCC unroll 2
    for (size_t v = 0; v < half; v++) s[v] = Op::Join(s[v], s[v + half]);
  alignas(64) float last[kLanes];
  Store(last, s[0]);
#pragma GCC unroll 4
  for (size_t half = kLanes / 2; half > 0; half /= 2)
#pragma GCC unroll 8
    for (size_t j = 0; j < half; j++) last[j] = Op::JoinOne(last[j], last[j + half]);
  return last[0];
}

template <class Op>
float Along(const float* x, size_t n) {
  Vec s[kRowVectors];
#pragma GCC unroll 4
  for (size_t v = 0; v < kRowVectors; v++) s[v] = Set(Op::kStart);
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
#pragma GCC unroll 4
    for (size_t v = 0; v < kRowVectors; v++) s[v] = Op::Step(Load(x + i + v * kLanes), s[v]);
  }
#pragma GCC unroll 4
  for (size_t v = 0; v < kRowVectors; v++) {
    if (i >= n) break;
    const size_t count = n - i < kLanes ? n - i : kLanes;
    s[v] = KeepFirst(Op::Step(LoadPart(x + i, count), s[v]), count, s[v]);
    i += count;
  }
  return Fold<Op>(s);
}

template <class Op>
void Down(const float* x, size_t n, size_t stride, size_t columns, float* y) {
  size_t c = 0;
  for (; c + kColumnVectors * kLanes <= columns; c += kColumnVectors * kLanes) {
    Vec s[kColumnVectors];
#pragma GCC unroll 8
    for (size_t v = 0; v < kColumnVectors; v++) s[v] = Set(Op::kStart);
    for (size_t i = 0; i < n; i++) {
#pragma GCC unroll 8
      for (size_t v = 0; v < kColumnVectors; v++) s[v] = Op::Step(Load(x + i * stride + c + v * kLanes), s[v]);
    }
#pragma GCC unroll 8
    for (size_t v = 0; v < kColumnVectors; v++) Store(y + c + v * kLanes, s[v]);
  }
  for (; c + kLanes <= columns; c += kLanes) {
    Vec s = Set(Op::kStart);
    for (size_t i = 0; i < n; i++) s = Op::Step(Load(x + i * stride + c), s);
    Store(y + c, s);
  }
  if (c == columns) return;
  Vec s = Set(Op::kStart);
  for (size_t i = 0; i < n; i++) s = Op::Step(LoadPart(x + i * stride + c, columns - c), s);
  StorePart(y + c, s, columns - c);
}

// A row in each lane. Partial results beyond the row are the start, which joins without effect.
template <class Op>
void Short(const float* x, size_t n, size_t rows, float* y) {
  size_t widest = 1;
  while (widest < n) widest *= 2;
  for (; rows >= kLanes; rows -= kLanes, x += kLanes * n, y += kLanes) {
    Vec s[kShortReduce];
    for (size_t i = 0; i < widest; i++) s[i] = Set(Op::kStart);
    for (size_t i = 0; i < n; i++) s[i] = Op::Step(LoadSteps(x + i, n, kLanes), s[i]);
    for (size_t half = widest / 2; half > 0; half /= 2)
      for (size_t j = 0; j < half; j++) s[j] = Op::Join(s[j], s[j + half]);
    Store(y, s[0]);
  }
  for (size_t r = 0; r < rows; r++) y[r] = Along<Op>(x + r * n, n);
}

#define LOWP_REDUCE_OPS(Form) \
  { Form<SumOp>, Form<MaxOp>, Form<MinOp>, Form<ProdOp>, Form<SumAbsOp>, Form<SumSquaresOp> }

#define LOWP_REDUCE_ROWS \
  { LOWP_REDUCE_OPS(Along), LOWP_REDUCE_OPS(Down), LOWP_REDUCE_OPS(Short) }

}  // namespace
}  // namespace lowp
