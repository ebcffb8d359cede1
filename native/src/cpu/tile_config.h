// Operand of ldtilecfg, palette 1 (Intel SDM volume 1, section 18.2): eight tiles of 16 rows x 64 bytes.
#pragma once
#include <cstdint>

namespace lowp {

struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

}  // namespace lowp
