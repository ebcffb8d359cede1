// The tiles of a Winograd convolution one after the other.
#pragma once
#include "kernels/winograd/rows.h"
#include "simd/inline.h"

namespace lowp {
namespace {

// Where a tile and those behind it are.
class TileWalk {
 public:
  TileWalk(const WinogradGeometry& g, size_t tile)
      : g_(g), tx_(tile % g.tiles_w), ty_(tile / g.tiles_w % g.tiles_h), image_(tile / g.tiles_w / g.tiles_h) {}

  // Of the tile's first output pixel.
  size_t y() const { return 2 * ty_; }
  size_t x() const { return 2 * tx_; }
  size_t pixel() const { return (image_ * g_.out_h + y()) * g_.out_w + x(); }
  // Output pixels of the tile.
  size_t rows() const { return g_.out_h - y() < 2 ? 1 : 2; }
  size_t columns() const { return g_.out_w - x() < 2 ? 1 : 2; }

  // The pixels of the tile's window; those outside of x are `outside`. Places left of or above x wrap around to large
  // numbers.
  template <class T>
  LOWP_INLINE void FindWindow(const T* x, const T* outside, const T* (&pixels)[kWinogradProducts]) const {
    for (size_t i = 0; i < 4; i++) {
      const size_t in_y = y() + i - g_.pad_top;
      for (size_t j = 0; j < 4; j++) {
        const size_t in_x = this->x() + j - g_.pad_left;
        const bool inside = in_y < g_.in_h && in_x < g_.in_w;
        pixels[4 * i + j] = inside ? x + ((image_ * g_.in_h + in_y) * g_.in_w + in_x) * g_.in_stride : outside;
      }
    }
  }

  void Next() {
    if (++tx_ < g_.tiles_w) return;
    tx_ = 0;
    if (++ty_ < g_.tiles_h) return;
    ty_ = 0;
    image_++;
  }

 private:
  const WinogradGeometry& g_;
  size_t tx_, ty_, image_;
};

}  // namespace
}  // namespace lowp
