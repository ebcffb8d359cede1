// Sizes of a 3 x 3 convolution with stride 1, as the kernels that compute it by Winograd describe it.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/kernel.h"
#include "kernels/winograd/rows.h"

namespace lowp {

// Elements and pixels.
struct WinogradShape {
  uint32_t batch, in_h, in_w, in_c, in_stride, out_h, out_w, out_c, out_stride, out_offset, pad_top, pad_left;

  template <class Params>
  static WinogradShape Of(const Params& p) {
    return {p.batch, p.in_h, p.in_w, p.in_c, p.in_stride, p.out_h, p.out_w, p.out_c, p.out_stride, p.out_offset, p.pad_top,
            p.pad_left};
  }

  // At most 2 pixels outside of x on each side, so that memory stays in proportion to x.
  bool IsPaddedByTwoAtMost() const {
    return pad_top <= 2 && pad_left <= 2 && uint64_t{out_h} <= uint64_t{in_h} + pad_top &&
           uint64_t{out_w} <= uint64_t{in_w} + pad_left;
  }
  WinogradGeometry geometry() const {
    return {in_h,       in_w,    in_c,     in_stride,           out_h,
            out_w,      out_stride, pad_top,  pad_left, (size_t{out_h} + 1) / 2, (size_t{out_w} + 1) / 2};
  }
  size_t tiles() const { return size_t{batch} * geometry().tiles_h * geometry().tiles_w; }
  // Elements of y in the whole lines of these tiles, when y is nothing but its channels; otherwise none.
  IndexRange ElementsOf(IndexRange tiles) const {
    if (out_offset != 0 || out_stride != out_c) return {};
    const size_t width = geometry().tiles_w, line = size_t{out_w} * out_c;
    const size_t begin = LineOf((tiles.begin + width - 1) / width), end = LineOf(tiles.end / width);
    return end > begin ? IndexRange{begin * line, end * line} : IndexRange{};
  }
  // Of the plain sum, so that counts do not depend on the way of computing it.
  double operations() const { return 2.0 * kWinogradTaps * batch * out_h * out_w * in_c * out_c; }

 private:
  // The first line of y that line `tile_line` of tiles stores.
  size_t LineOf(size_t tile_line) const {
    const size_t lines = geometry().tiles_h;
    return tile_line / lines * out_h + 2 * (tile_line % lines);
  }
};

}  // namespace lowp
