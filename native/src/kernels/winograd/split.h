// How the work of a Winograd convolution is cut into blocks of tiles, and where the transformed values lie. Sizes are
// counted in elements of 4 bytes: one f32, or two s16.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lowp {

struct WinogradQuery {
  size_t tiles = 1;
  size_t steps = 1;    // elements of x per pixel
  size_t out_c = 1;
  size_t columns = 1;  // of the widest panel
  size_t threads = 1;
  size_t l2_bytes = 1 << 20;
};

struct WinogradSplit {
  // The windows of all tiles are transformed before the first product, because threads then share the weights and not
  // the pixels; otherwise each block of tiles is transformed by the thread that multiplies it.
  bool together = false;
  bool weights_stay = false;  // in L2, from one block to the next
  size_t block = 1;           // tiles
  size_t blocks = 1;
  size_t groups = 1;          // panels of a block that are units of work
  size_t pitch = 0;           // elements of v from tile to tile
  size_t product_pitch = 0;   // of v from product to product
  size_t m_pitch = 0;         // of m from product to product

  size_t tiles() const { return blocks * groups; }
  size_t table_bytes() const;  // of the rows' pointers
  size_t m_bytes() const;
  size_t v_bytes() const;
};

WinogradSplit SplitWinograd(const WinogradQuery& query);

}  // namespace lowp
