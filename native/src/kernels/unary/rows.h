// What an instruction set implements for `unary`.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lowp {

constexpr size_t kUnaryOps = 37;

// The functions of instruction sets; those behind them are computed in doubles.
constexpr size_t kVectorUnaryOps = 28;

// y[i] = op(x[i]), i < n; y may be x.
using UnaryFunction = void (*)(const float* x, float* y, size_t n, float alpha, float beta);

struct UnaryRows {
  UnaryFunction op[kVectorUnaryOps];
  UnaryFunction affine;  // fma(x, alpha, beta)
};

extern const UnaryRows unary_f32_scalar;
extern const UnaryRows unary_f32_avx2_8;
extern const UnaryRows unary_f32_avx512_16;

}  // namespace lowp
