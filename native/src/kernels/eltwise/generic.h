// `eltwise` over the vector interface; include a simd/vec_*.h before this file.
#pragma once
#include "kernels/eltwise/rows.h"
#include "simd/steps.h"

namespace lowp {
namespace {

using namespace simd;

struct AddOp {
  static LOWP_INLINE Vec Apply(Vec a, Vec b) { return Add(a, b); }
};
struct SubtractOp {
  static LOWP_INLINE Vec Apply(Vec a, Vec b) { return Sub(a, b); }
};
struct MultiplyOp {
  static LOWP_INLINE Vec Apply(Vec a, Vec b) { return Mul(a, b); }
};
struct DivideOp {
  static LOWP_INLINE Vec Apply(Vec a, Vec b) { return Div(a, b); }
};
struct MaximumOp {
  static LOWP_INLINE Vec Apply(Vec a, Vec b) { return Max(a, b); }
};
struct MinimumOp {
  static LOWP_INLINE Vec Apply(Vec a, Vec b) { return Min(a, b); }
};
struct SquaredDifferenceOp {
  static LOWP_INLINE Vec Apply(Vec a, Vec b) {
    const Vec d = Sub(a, b);
    return Mul(d, d);
  }
};

struct PReluOp {
  static LOWP_INLINE Vec Apply(Vec a, Vec b) { return Select(Less(a, Set(0.0f)), Mul(a, b), a); }
};

// How an operand moves along a row: kOne value for all elements, kDense, or kAny step.
enum class Step { kOne, kDense, kAny };

// n elements from index i on; n <= kLanes.
template <Step kStep>
LOWP_INLINE Vec LoadOperand(const float* p, Vec one, size_t i, size_t step, size_t n) {
  if constexpr (kStep == Step::kOne) return one;
  if constexpr (kStep == Step::kAny) return LoadSteps(p + i * step, step, n);
  return n == kLanes ? Load(p + i) : LoadPart(p + i, n);
}

template <class Op, bool kClamp, Step kA, Step kB>
LOWP_INLINE void RunRows(const EltwiseBlock& block) {
  const Vec low = Set(block.low), high = Set(block.high);
  for (size_t r = 0; r < block.rows; r++) {
    const float* a = block.a + r * block.a_row;
    const float* b = block.b + r * block.b_row;
    float* y = block.y + r * block.y_row;
    const Vec one_a = Set(*a), one_b = Set(*b);
    size_t i = 0;
    for (; i + kLanes <= block.n; i += kLanes) {
      const Vec va = LoadOperand<kA>(a, one_a, i, block.a_step, kLanes);
      const Vec v = Op::Apply(va, LoadOperand<kB>(b, one_b, i, block.b_step, kLanes));
      Store(y + i, kClamp ? Min(Max(v, low), high) : v);
    }
    const size_t rest = block.n - i;
    if (rest == 0) continue;
    const Vec va = LoadOperand<kA>(a, one_a, i, block.a_step, rest);
    const Vec v = Op::Apply(va, LoadOperand<kB>(b, one_b, i, block.b_step, rest));
    StorePart(y + i, kClamp ? Min(Max(v, low), high) : v, rest);
  }
}

template <class Op, bool kClamp>
void RunBlock(const EltwiseBlock& block) {
  if (block.a_step == 1 && block.b_step == 1) return RunRows<Op, kClamp, Step::kDense, Step::kDense>(block);
  if (block.a_step == 1 && block.b_step == 0) return RunRows<Op, kClamp, Step::kDense, Step::kOne>(block);
  if (block.a_step == 0 && block.b_step == 1) return RunRows<Op, kClamp, Step::kOne, Step::kDense>(block);
  if (block.a_step == 1) return RunRows<Op, kClamp, Step::kDense, Step::kAny>(block);
  if (block.b_step == 1) return RunRows<Op, kClamp, Step::kAny, Step::kDense>(block);
  RunRows<Op, kClamp, Step::kAny, Step::kAny>(block);
}

#define LOWP_ELTWISE_FUNCTIONS(clamp)                                                                            \
  {                                                                                                              \
    RunBlock<AddOp, clamp>, RunBlock<SubtractOp, clamp>, RunBlock<MultiplyOp, clamp>, RunBlock<DivideOp, clamp>, \
        RunBlock<MaximumOp, clamp>, RunBlock<MinimumOp, clamp>, RunBlock<SquaredDifferenceOp, clamp>,            \
        RunBlock<PReluOp, clamp>                                                                                 \
  }

#define LOWP_ELTWISE_ROWS \
  { LOWP_ELTWISE_FUNCTIONS(false), LOWP_ELTWISE_FUNCTIONS(true) }

}  // namespace
}  // namespace lowp
