// Images of f32 pixels on one side and of u8 pixels on the other: the sizes and the tiles of `quantize` and
// `dequantize`.
#pragma once
#include <algorithm>
#include <string>

#include "kernels/flat_tiles.h"
#include "kernels/kernel.h"

namespace lowp {

// The f32 side is [batch, spatial, channels] in layout 0 and [batch, channels, spatial] in layout 1; the u8 side is
// [batch, spatial, stride].
struct PixelLayout {
  uint32_t batch, channels, spatial, layout, stride;
};

// Sets the elements of both sides. Errors begin with the kernel's name and call the stride by that of its field.
inline Status ValidatePixels(const PixelLayout& p, const char* kernel, const char* stride, uint64_t* f32_elements,
                             uint64_t* u8_elements) {
  LOWP_REQUIRE(p.channels > 0 && p.stride >= p.channels,
               std::string(kernel) + ": expected 0 < channels <= " + stride);
  LOWP_REQUIRE(p.layout <= 1, std::string(kernel) + ": layout must be 0 or 1");
  LOWP_REQUIRE(CheckedProduct(f32_elements, p.batch, p.spatial, p.channels) &&
                   CheckedProduct(u8_elements, p.batch, p.spatial, p.stride),
               std::string(kernel) + ": sizes overflow");
  return Status();
}

// Neighbouring pixels of one image.
struct PixelTile {
  size_t image;
  size_t first;
  size_t pixels;
};

// Tiles of a valid layout. Images whose pixels follow each other count as one.
struct PixelTiles {
  bool planes = false;      // channels-first on the f32 side
  bool dense = false;       // element i of one side is element i of the other; tiles are those of flat_tiles.h
  size_t elements = 0;      // of the f32 side
  size_t spatial = 0;       // pixels of one image
  size_t tile_pixels = 1;
  size_t tiles_per_image = 0;
  size_t count = 0;

  static PixelTiles Of(const PixelLayout& p) {
    PixelTiles t;
    t.planes = p.layout == 1 && p.channels > 1 && p.spatial > 1;
    t.dense = !t.planes && p.stride == p.channels;
    t.elements = size_t{p.batch} * p.spatial * p.channels;
    t.spatial = t.planes ? p.spatial : size_t{p.batch} * p.spatial;
    t.tile_pixels = std::max<size_t>(64, kFlatTile / p.channels / 64 * 64);
    t.tiles_per_image = CeilDiv(t.spatial, t.tile_pixels);
    t.count = t.dense ? FlatTileCount(t.elements) : t.tiles_per_image * (t.planes ? p.batch : 1);
    return t;
  }

  // Of tiles that are not dense.
  PixelTile At(size_t tile) const {
    const size_t first = tile % tiles_per_image * tile_pixels;
    return {tile / tiles_per_image, first, std::min(tile_pixels, spatial - first)};
  }
};

}  // namespace lowp
