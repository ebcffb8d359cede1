// Row-wise copying with borders.
#include "kernels/gemm/padded_copy.h"

#include <algorithm>
#include <cstring>

namespace lowp {
namespace {

// Pixel by pixel; the gap behind a pixel of the copy gets what the input or the next pixel has there.
void CopyPixels(const PaddedCopy& c, const uint8_t* from, uint8_t* to, size_t count) {
  if (c.in_pixel == c.pixel) {
    std::memcpy(to, from, (count - 1) * c.pixel + c.used_bytes);
  } else if (c.used_bytes == 3 && c.pixel == 4) {
    for (size_t i = 0; i + 1 < count; i++, from += c.in_pixel, to += 4) std::memcpy(to, from, 4);
    std::memcpy(to, from, 3);
  } else {
    for (size_t i = 0; i < count; i++, from += c.in_pixel, to += c.pixel) std::memcpy(to, from, c.used_bytes);
  }
}

}  // namespace

void CopyRow(const PaddedCopy& c, const uint8_t* x, size_t row, uint8_t* to) {
  const int64_t width = static_cast<int64_t>(c.width), in_w = static_cast<int64_t>(c.in_w);
  const int64_t first = std::min(std::max<int64_t>(c.left, 0), width);       // copy pixels [first, last) have input
  const int64_t last = std::max(first, std::min(c.left + in_w, width));
  const size_t plane = row / c.height, volume = plane / c.depth;
  const int64_t in_y = static_cast<int64_t>(row % c.height) - c.top;
  const int64_t in_z = static_cast<int64_t>(plane % c.depth) - c.front;
  if (in_y < 0 || in_y >= static_cast<int64_t>(c.in_h) || in_z < 0 || in_z >= static_cast<int64_t>(c.in_d) ||
      first == last) {
    std::memset(to, c.border, c.row_bytes());
    return;
  }
  const size_t in_row = (volume * c.in_d + static_cast<size_t>(in_z)) * c.in_h + static_cast<size_t>(in_y);
  const uint8_t* from = x + (in_row * c.in_w + static_cast<size_t>(first - c.left)) * c.in_pixel;
  std::memset(to, c.border, static_cast<size_t>(first) * c.pixel);
  CopyPixels(c, from, to + static_cast<size_t>(first) * c.pixel, static_cast<size_t>(last - first));
  std::memset(to + static_cast<size_t>(last) * c.pixel, c.border, static_cast<size_t>(width - last) * c.pixel);
}

void CopyRows(const PaddedCopy& c, const uint8_t* x, uint8_t* out, size_t begin, size_t end) {
  for (size_t row = begin; row < end; row++) CopyRow(c, x, row, out + row * c.row_bytes());
}

}  // namespace lowp
