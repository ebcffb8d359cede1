// `quantize` without vector instructions: the definition of its results.
#include "base/rounding.h"
#include "kernels/common/quantize_rows.h"

namespace lowp {
namespace {

uint8_t Quantize(float x, size_t c, const QuantizeConstants& k) {
  const uint8_t q = RoundToU8(std::fmaf(x, k.inv_scale[c], k.shift[c]));
  const uint8_t raised = q > k.low[c] ? q : k.low[c];
  return raised < k.high[c] ? raised : k.high[c];
}

void Dense(const float* x, uint8_t* y, size_t n, size_t first_channel, const QuantizeConstants& k) {
  size_t c = first_channel;
  for (size_t i = 0; i < n; i++) {
    y[i] = Quantize(x[i], c, k);
    if (++c == k.channels) c = 0;
  }
}

void Planes(const float* x, size_t plane, uint8_t* y, size_t pixels, const QuantizeConstants& k) {
  for (size_t p = 0; p < pixels; p++, y += k.out_stride) {
    for (size_t c = 0; c < k.channels; c++) y[c] = Quantize(x[c * plane + p], c, k);
    for (size_t c = k.channels; c < k.out_stride; c++) y[c] = k.pad_value;
  }
}

void Pixels(const float* x, uint8_t* y, size_t pixels, const QuantizeConstants& k) {
  for (size_t p = 0; p < pixels; p++, x += k.channels, y += k.out_stride) {
    for (size_t c = 0; c < k.channels; c++) y[c] = Quantize(x[c], c, k);
    for (size_t c = k.channels; c < k.out_stride; c++) y[c] = k.pad_value;
  }
}

}  // namespace

const QuantizeRows quantize_f32u8_scalar = {Dense, Pixels, Planes};

}  // namespace lowp
