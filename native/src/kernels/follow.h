// What kernels share that may follow their producer (PreparedCall::Readable). They do where the value is BeyondL2: the
// tiles at the ends of every thread's share are left over and cost a second call.
#pragma once
#include <algorithm>
#include <cstddef>

#include "kernels/kernel.h"

namespace lowp {

// The indices whose `size` elements each are all within `elements`.
inline IndexRange Whole(IndexRange elements, size_t size) {
  return {(elements.begin + size - 1) / size, elements.end / size};
}

// Tiles that are lines of output images and read a window of lines of input images: tile t is line t % out_h of image
// t / out_h.
struct LineWindows {
  size_t in_h = 0, out_h = 0, stride = 1, pad_top = 0;
  size_t reach = 1;  // lines from the first one of a window to behind its last one

  // Of `tiles` tiles, those that read nothing but `lines` of the stack of input images.
  IndexRange Within(IndexRange lines, size_t tiles) const {
    const size_t begin = CountWhile(tiles, [&](size_t t) { return Line(t, 0) < lines.begin; });
    const size_t end = CountWhile(tiles, [&](size_t t) { return Line(t, reach) <= lines.end; });
    return end > begin ? IndexRange{begin, end} : IndexRange{};
  }

 private:
  // The line of the stack that is `below` the top of a tile's window, or the nearest one of its image.
  size_t Line(size_t tile, size_t below) const {
    const size_t y = tile % out_h * stride + below;
    return tile / out_h * in_h + std::min(in_h, std::max(y, pad_top) - pad_top);
  }

  // How many of the first tiles hold; none does behind one that does not.
  template <class Holds>
  static size_t CountWhile(size_t tiles, Holds holds) {
    size_t low = 0, high = tiles;
    while (low < high) {
      const size_t middle = (low + high) / 2;
      if (holds(middle)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
};

}  // namespace lowp
