// `dequantize` without vector instructions: the definition of its results.
#include "kernels/dequantize/rows.h"

namespace lowp {
namespace {

float Dequantize(uint8_t q, size_t c, const DequantizeConstants& k) {
  return (static_cast<float>(q) - k.zero_point[c]) * k.scale[c];
}

void Dense(const uint8_t* x, float* y, size_t n, size_t first_channel, const DequantizeConstants& k) {
  size_t c = first_channel;
  for (size_t i = 0; i < n; i++) {
    y[i] = Dequantize(x[i], c, k);
    if (++c == k.channels) c = 0;
  }
}

void Pixels(const uint8_t* x, float* y, size_t pixels, const DequantizeConstants& k) {
  for (size_t p = 0; p < pixels; p++, x += k.in_stride, y += k.channels)
    for (size_t c = 0; c < k.channels; c++) y[c] = Dequantize(x[c], c, k);
}

void Planes(const uint8_t* x, float* y, size_t plane, size_t pixels, const DequantizeConstants& k) {
  for (size_t p = 0; p < pixels; p++, x += k.in_stride)
    for (size_t c = 0; c < k.channels; c++) y[c * plane + p] = Dequantize(x[c], c, k);
}

}  // namespace

const DequantizeRows dequantize_u8f32_scalar = {Dense, Pixels, Planes};

}  // namespace lowp
