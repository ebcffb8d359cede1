// Where the epilogue of a register tile (epilogue_avx2.h, epilogue_avx512.h) reads and writes. For ISA files only.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lowp {
namespace {

// Addresses of a tile: y and residual point at its first row and column, strides are bytes from row to row.
// `columns` of the tile's vectors are stored, more than all vectors but the last hold; n is the first one's channel.
struct TileStore {
  size_t n = 0;
  size_t columns = 0;
  uint8_t* y = nullptr;
  size_t y_stride = 0;
  const uint8_t* residual = nullptr;
  size_t residual_stride = 0;
};

}  // namespace
}  // namespace lowp
