// `convert` without vector instructions: the definition of its results.
#include <cstring>

#include "kernels/convert/rows.h"

namespace lowp {
namespace {

void Copy(const void* x, float* y, size_t n) {
  if (x != y && n > 0) std::memcpy(y, x, n * sizeof(float));
}

template <class T>
void Number(const void* x, float* y, size_t n) {
  const T* values = static_cast<const T*>(x);
  for (size_t i = 0; i < n; i++) y[i] = static_cast<float>(values[i]);
}

void Boolean(const void* x, float* y, size_t n) {
  const uint8_t* values = static_cast<const uint8_t*>(x);
  for (size_t i = 0; i < n; i++) y[i] = values[i] ? 1.0f : 0.0f;
}

float HalfToFloat(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16;
  const uint32_t exponent = (h >> 10) & 31, mantissa = h & 0x3ff;
  uint32_t bits = sign | ((exponent + 112) << 23) | (mantissa << 13);
  if (exponent == 31) {
    bits = sign | 0x7f800000u | (mantissa << 13) | (mantissa ? 0x400000u : 0u);
  } else if (exponent == 0) {
    bits = sign | __builtin_bit_cast(uint32_t, static_cast<float>(mantissa) * 0x1p-24f);
  }
  return __builtin_bit_cast(float, bits);
}

void Half(const void* x, float* y, size_t n) {
  const uint16_t* values = static_cast<const uint16_t*>(x);
  for (size_t i = 0; i < n; i++) y[i] = HalfToFloat(values[i]);
}

}  // namespace

const ConvertRows convert_f32_scalar = {
    Copy, Number<uint8_t>, Number<int8_t>, Number<int32_t>, Number<int64_t>, Half, Number<int16_t>, Boolean,
};

}  // namespace lowp
