// What an instruction set implements for `fake_quantize`.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lowp {

// Constants per channel; each array has 64 entries behind the last channel, which repeat from channel 0.
struct FakeQuantizeConstants {
  const float* low;   // min(input_low, input_high)
  const float* high;  // max(input_low, input_high)
  const float* input_low;
  const float* input_range;  // input_high - input_low
  const float* output_low;
  const float* output_high;
  const float* output_range;  // output_high - output_low
  float steps;                // levels - 1
  size_t channels;
};

struct FakeQuantizeRows {
  // n elements of one channel.
  void (*uniform)(const float* x, float* y, size_t n, size_t channel, const FakeQuantizeConstants& k);
  // Element i belongs to channel (first_channel + i) mod channels.
  void (*cyclic)(const float* x, float* y, size_t n, size_t first_channel, const FakeQuantizeConstants& k);
};

extern const FakeQuantizeRows fake_quantize_f32_scalar;
extern const FakeQuantizeRows fake_quantize_f32_avx2_8;
extern const FakeQuantizeRows fake_quantize_f32_avx512_16;

}  // namespace lowp
