// What an instruction set implements of Winograd convolutions: the transformations in front of the products and behind
// them. Of floats here, of bytes in integer_rows.h.
#pragma once
#include <cstddef>

#include "kernels/common/epilogue.h"

namespace lowp {

constexpr size_t kWinogradTaps = 9;
constexpr size_t kWinogradProducts = 16;  // elements of a transformed window of 4 x 4

// Sizes in the width of an address. Tiles are counted along lines of tiles, then from line to line and image to image.
struct WinogradGeometry {
  size_t in_h, in_w, in_c, in_stride;
  size_t out_h, out_w, out_stride;
  size_t pad_top, pad_left;
  size_t tiles_h, tiles_w;
};

// v[p][t - first] of tiles [first, first + count), from elements X to elements V.
template <class X, class V>
struct WinogradInput {
  const WinogradGeometry* geometry = nullptr;
  const X* x = nullptr;
  const X* outside = nullptr;  // a pixel outside of x; readable for a vector more than in_c
  size_t first = 0, count = 0;
  V* v = nullptr;              // of tile `first` and product 0; whole vectors are written
  size_t pitch = 0;            // elements from tile to tile
  size_t product_pitch = 0;    // elements from product to product
};

// y of tiles [first, first + count) from m[p][t - first][pitch]: `columns` channels from channel n on.
template <class M>
struct WinogradOutput {
  const WinogradGeometry* geometry = nullptr;
  const Epilogue* epilogue = nullptr;
  size_t first = 0, count = 0;
  const M* m = nullptr;        // of tile `first` and product 0
  size_t pitch = 0;            // elements from tile to tile: all lanes of the panel
  size_t product_pitch = 0;    // elements from product to product
  const M* initial = nullptr;  // integers: by channel, added to the sum over taps
  size_t n = 0, columns = 0;
  uint8_t* y = nullptr;        // channel n of pixel 0; strides are bytes from pixel to pixel
  size_t y_stride = 0;
  const uint8_t* residual = nullptr;
  size_t residual_stride = 0;
};

struct WinogradRows {
  void (*transform_input)(const WinogradInput<float, float>& task);
  void (*transform_output)(const WinogradOutput<float>& task);
};

extern const WinogradRows winograd_f32_scalar;
extern const WinogradRows winograd_f32_avx2_8;
extern const WinogradRows winograd_f32_avx512_16;

}  // namespace lowp
