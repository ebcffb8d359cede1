// A copy of an NDHWC tensor with a border, so that every tap of a convolution reads inside it.
//
// Copy pixel (b, z, y, x) is input pixel (b, z - front, y - top, x - left), or the border value where there is none.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lowp {

struct PaddedCopy {
  bool needed = false;
  size_t batch = 0, in_d = 0, in_h = 0, in_w = 0;
  size_t in_pixel = 0;    // bytes from pixel to pixel of the input
  size_t depth = 0, height = 0, width = 0;
  size_t pixel = 0;       // bytes from pixel to pixel of the copy; beyond used_bytes they may hold anything
  size_t used_bytes = 0;  // bytes of a pixel that are copied
  int64_t front = 0, top = 0, left = 0;
  uint8_t border = 0;     // every byte of border pixels

  size_t rows() const { return batch * depth * height; }
  size_t row_bytes() const { return width * pixel; }
  size_t bytes() const { return rows() * row_bytes(); }
};

// Writes row `row` of the copy to `to`.
void CopyRow(const PaddedCopy& copy, const uint8_t* x, size_t row, uint8_t* to);

// Writes rows [begin, end) of the copy.
void CopyRows(const PaddedCopy& copy, const uint8_t* x, uint8_t* out, size_t begin, size_t end);

}  // namespace lowp
