// `layer_norm` without vector instructions: the definition of its results.
#include "simd/vec_scalar.h"

#include "kernels/layer_norm/rows.h"

namespace lowp {
namespace {

float Fold(float (&s)[32]) {
  for (size_t half = 16; half > 0; half /= 2)
    for (size_t j = 0; j < half; j++) s[j] += s[j + half];
  return s[0];
}

float MeanOf(const float* x, size_t n) {
  float s[32] = {};
  for (size_t i = 0; i < n; i++) s[i % 32] += x[i];
  return Fold(s) / static_cast<float>(n);
}

float VarianceOf(const float* x, size_t n, float mean) {
  float s[32] = {};
  for (size_t i = 0; i < n; i++) {
    const float d = x[i] - mean;
    s[i % 32] = simd::Fma(d, d, s[i % 32]);
  }
  return Fold(s) / static_cast<float>(n);
}

float FactorOf(const LayerNormTask& t, const float* x, float mean) {
  if (!t.variance) return 1.0f;
  const float variance = VarianceOf(x, t.columns, mean);
  return 1.0f / (t.outside ? simd::Sqrt(variance) + t.eps : simd::Sqrt(variance + t.eps));
}

uint8_t ByteOf(const LayerNormTask& t, float y) {
  const float v = simd::RoundEven(simd::Fma(y, t.inv_scale, t.shift));
  const uint8_t byte = v >= 255.0f ? 255 : v > 0.0f ? static_cast<uint8_t>(v) : 0;
  const uint8_t low = byte > t.byte_low ? byte : t.byte_low;
  return low < t.byte_high ? low : t.byte_high;
}

void Run(const LayerNormTask& t) {
  for (size_t r = 0; r < t.rows; r++) {
    const float* x = t.x + r * t.columns;
    const float mean = MeanOf(x, t.columns);
    const float factor = FactorOf(t, x, mean);
    for (size_t i = 0; i < t.columns; i++) {
      float y = (x[i] - mean) * factor;
      if (t.gamma) y = simd::Fma(y, t.gamma[i], t.beta ? t.beta[i] : -0.0f);
      if (t.q) t.q[r * t.columns + i] = ByteOf(t, y);
      if (t.y) t.y[r * t.columns + i] = y;
    }
  }
}

}  // namespace

const LayerNormRows layer_norm_f32_scalar = {Run};

}  // namespace lowp
