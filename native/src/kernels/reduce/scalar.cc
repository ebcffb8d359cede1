// `reduce` without vector instructions: the definition of its results.
#include "simd/vec_scalar.h"

#include "kernels/reduce/rows.h"

namespace lowp {
namespace {

struct Sum {
  static constexpr float kStart = 0.0f;
  static float Step(float x, float s) { return s + x; }
  static float Join(float a, float b) { return a + b; }
};
struct Max {
  static constexpr float kStart = -__builtin_inff();
  static float Step(float x, float s) { return x != x || x > s ? x : s; }
  static float Join(float a, float b) { return Step(b, a); }
};
struct Min {
  static constexpr float kStart = __builtin_inff();
  static float Step(float x, float s) { return x != x || x < s ? x : s; }
  static float Join(float a, float b) { return Step(b, a); }
};
struct Prod {
  static constexpr float kStart = 1.0f;
  static float Step(float x, float s) { return s * x; }
  static float Join(float a, float b) { return a * b; }
};
struct SumAbs : Sum {
  static float Step(float x, float s) { return s + simd::Abs(x); }
};
struct SumSquares : Sum {
  static float Step(float x, float s) { return simd::Fma(x, x, s); }
};

template <class Op>
float Along(const float* x, size_t n) {
  float s[32];
  for (float& v : s) v = Op::kStart;
  for (size_t i = 0; i < n; i++) s[i % 32] = Op::Step(x[i], s[i % 32]);
  for (size_t half = 16; half > 0; half /= 2)
    for (size_t j = 0; j < half; j++) s[j] = Op::Join(s[j], s[j + half]);
  return s[0];
}

template <class Op>
void Down(const float* x, size_t n, size_t stride, size_t columns, float* y) {
  for (size_t c = 0; c < columns; c++) y[c] = Op::kStart;
  for (size_t i = 0; i < n; i++)
    for (size_t c = 0; c < columns; c++) y[c] = Op::Step(x[i * stride + c], y[c]);
}

template <class Op>
void Short(const float* x, size_t n, size_t rows, float* y) {
  for (size_t r = 0; r < rows; r++) y[r] = Along<Op>(x + r * n, n);
}

}  // namespace

const ReduceRows reduce_f32_scalar = {
    {Along<Sum>, Along<Max>, Along<Min>, Along<Prod>, Along<SumAbs>, Along<SumSquares>},
    {Down<Sum>, Down<Max>, Down<Min>, Down<Prod>, Down<SumAbs>, Down<SumSquares>},
    {Short<Sum>, Short<Max>, Short<Min>, Short<Prod>, Short<SumAbs>, Short<SumSquares>}};

}  // namespace lowp
