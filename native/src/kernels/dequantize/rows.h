// What an instruction set implements for `dequantize`.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lowp {

// Constants per channel; each array has 64 entries behind the last channel, which repeat from channel 0.
struct DequantizeConstants {
  const float* scale;
  const float* zero_point;
  size_t channels;
  size_t in_stride;
  bool uniform;  // all channels have the same constants
};

struct DequantizeRows {
  // y[i] from x[i], i < n; element i belongs to channel (first_channel + i) mod channels.
  void (*dense)(const uint8_t* x, float* y, size_t n, size_t first_channel, const DequantizeConstants& k);
  // Pixels of in_stride > channels bytes to pixels of `channels` floats.
  void (*pixels)(const uint8_t* x, float* y, size_t pixels, const DequantizeConstants& k);
  // Channel c of pixel p goes to y[c * plane + p]. May read the kReadSlack bytes behind x.
  void (*planes)(const uint8_t* x, float* y, size_t plane, size_t pixels, const DequantizeConstants& k);
};

extern const DequantizeRows dequantize_u8f32_scalar;
extern const DequantizeRows dequantize_u8f32_avx2_8;
extern const DequantizeRows dequantize_u8f32_avx512_16;

}  // namespace lowp
