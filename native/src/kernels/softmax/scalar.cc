// `softmax` without vector instructions: the definition of its results.
#include "simd/vec_scalar.h"

#include "kernels/softmax/rows.h"
#include "simd/elementary.h"

namespace lowp {
namespace {

void Column(const float* x, float* y, size_t axis, size_t step) {
  float max = -__builtin_inff();
  for (size_t i = 0; i < axis; i++) max = simd::Max(x[i * step], max);
  float s[16] = {};
  for (size_t i = 0; i < axis; i++) {
    const float e = simd::FlushSubnormals(simd::Exp(x[i * step] - max));
    y[i * step] = e;
    s[i % 16] += e;
  }
  for (size_t half = 8; half > 0; half /= 2)
    for (size_t j = 0; j < half; j++) s[j] += s[j + half];
  for (size_t i = 0; i < axis; i++) y[i * step] = simd::FlushSubnormals(y[i * step] / s[0]);
}

void Contiguous(const float* x, float* y, size_t rows, size_t axis) {
  for (size_t r = 0; r < rows; r++) Column(x + r * axis, y + r * axis, axis, 1);
}

uint8_t ByteOf(float y, const SoftmaxBytes& b) {
  const float v = simd::RoundEven(simd::Fma(y, b.inv_scale, b.shift));
  const uint8_t byte = v >= 255.0f ? 255 : v > 0.0f ? static_cast<uint8_t>(v) : 0;
  const uint8_t low = byte > b.low ? byte : b.low;
  return low < b.high ? low : b.high;
}

void Quantized(const float* x, float* buffer, uint8_t* y, size_t rows, size_t axis, const SoftmaxBytes& b) {
  for (size_t r = 0; r < rows; r++) {
    Column(x + r * axis, buffer, axis, 1);
    for (size_t i = 0; i < axis; i++) y[r * axis + i] = ByteOf(buffer[i], b);
  }
}

void Strided(const float* x, float* y, size_t axis, size_t inner, size_t columns) {
  for (size_t c = 0; c < columns; c++) Column(x + c, y + c, axis, inner);
}

}  // namespace

const SoftmaxRows softmax_f32_scalar = {Contiguous, Quantized, Strided};

}  // namespace lowp
