// Floats to bytes, as each instruction set implements it in the room `quantize`; for every kernel that stores bytes by it.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lowp {

// Constants per channel; each array has 64 entries behind the last channel, which repeat from channel 0.
struct QuantizeConstants {
  const float* inv_scale;
  const float* shift;
  const uint8_t* low;
  const uint8_t* high;
  size_t channels;
  size_t out_stride;
  uint8_t pad_value;
  bool uniform;  // all channels have the same constants
};

struct QuantizeRows {
  // y[i] from x[i], i < n; element i belongs to channel (first_channel + i) mod channels.
  void (*dense)(const float* x, uint8_t* y, size_t n, size_t first_channel, const QuantizeConstants& k);
  // Pixels of `channels` floats to pixels of out_stride > channels bytes.
  void (*pixels)(const float* x, uint8_t* y, size_t pixels, const QuantizeConstants& k);
  // Channel c of pixel p is x[c * plane + p]; pixels of out_stride bytes.
  void (*planes)(const float* x, size_t plane, uint8_t* y, size_t pixels, const QuantizeConstants& k);
};

extern const QuantizeRows quantize_f32u8_scalar;
extern const QuantizeRows quantize_f32u8_avx2_32;
extern const QuantizeRows quantize_f32u8_avx512_64;

}  // namespace lowp
