// What an instruction set implements for the kernels that read images between their pixels.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lowp {

// y[c] = sum over t of weights[t] * taps[t][c], c < n: each term is added by one fused operation, in order; no taps: 0.
using MixFunction = void (*)(const float* const* taps, const float* weights, size_t count, float* y, size_t n);

struct MixRows {
  MixFunction mix;
};

extern const MixRows mix_f32_scalar;
extern const MixRows mix_f32_avx2_8;
extern const MixRows mix_f32_avx512_16;

}  // namespace lowp
