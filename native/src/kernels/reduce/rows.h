// What an instruction set implements for `reduce`.
#pragma once
#include <cstddef>

namespace lowp {

enum ReduceOp : size_t { kReduceSum, kReduceMax, kReduceMin, kReduceProd, kReduceSumAbs, kReduceSumSquares, kReduceOps };

// One block, without finish: n elements in a row, or n rows of `columns` elements that are `stride` apart.
using ReduceAlong = float (*)(const float* x, size_t n);
using ReduceDown = void (*)(const float* x, size_t n, size_t stride, size_t columns, float* y);

// `rows` rows of n elements, at most kShortReduce, one behind the other; the results of Along.
constexpr size_t kShortReduce = 16;
using ReduceShort = void (*)(const float* x, size_t n, size_t rows, float* y);

struct ReduceRows {
  ReduceAlong along[kReduceOps];
  ReduceDown down[kReduceOps];
  ReduceShort short_rows[kReduceOps];
};

extern const ReduceRows reduce_f32_scalar;
extern const ReduceRows reduce_f32_avx2_64;
extern const ReduceRows reduce_f32_avx512_64;

}  // namespace lowp
