// `quantized_add` without vector instructions: the definition of its results.
#include "base/rounding.h"
#include "kernels/quantized_add/rows.h"

namespace lowp {
namespace {

float Sum(uint8_t a, uint8_t b, const QuantizedAddConstants& k) {
  return std::fmaf(static_cast<float>(a), k.scale_a, std::fmaf(static_cast<float>(b), k.scale_b, k.bias));
}

void ToU8(const uint8_t* a, const uint8_t* b, uint8_t* y, size_t n, const QuantizedAddConstants& k) {
  for (size_t i = 0; i < n; i++) {
    const uint8_t q = RoundToU8(Sum(a[i], b[i], k));
    const uint8_t raised = q > k.low ? q : k.low;
    y[i] = raised < k.high ? raised : k.high;
  }
}

void ToF32(const uint8_t* a, const uint8_t* b, float* y, size_t n, const QuantizedAddConstants& k) {
  for (size_t i = 0; i < n; i++) {
    const float v = Sum(a[i], b[i], k);
    const float raised = v > k.float_low ? v : k.float_low;
    y[i] = raised < k.float_high ? raised : k.float_high;
  }
}

}  // namespace

const QuantizedAddRows quantized_add_u8_scalar = {ToU8, ToF32};

}  // namespace lowp
