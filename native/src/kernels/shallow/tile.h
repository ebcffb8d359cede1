// Register tiles of pixels by vectors of channels. For ISA files only, behind a tile header of the gemm room.
#pragma once
#include "kernels/shallow/row.h"
#include "simd/inline.h"
#include "simd/lanes.h"

namespace lowp {
namespace {

// R pixels from `pixel` on. Three pixels share a pointer, which addresses of base, base + d and base + 2 d have room for.
template <class L, int R, int V>
void RunLines(const LineTask& x, const PanelTask& t, size_t pixel) {
  constexpr int kShared = 3, kPointers = (R + kShared - 1) / kShared;
  constexpr int kTurn = V == 3 ? 1 : 2;  // steps; 9 x 3 sums leave no registers for the weights of a second
  typename L::Float acc[R][V];
  LOWP_UNROLL for (int i = 0; i < R; i++) {
    LOWP_UNROLL for (int j = 0; j < V; j++) acc[i][j] = L::ZeroFloat();
  }
  const size_t distance = x.distance;
  const size_t next_step = R * kTurn * x.next_share >> 16;
  const uint8_t* weights = t.weights;
  const uint8_t* const ahead = x.ahead + pixel * x.ahead_distance;
  for (size_t i = 0; i < R * x.ahead_distance; i += 64) __builtin_prefetch(ahead + i);
  for (size_t line = 0; line < x.count; line++) {
    const uint8_t* from[kPointers];
    from[0] = x.lines[line] + pixel * distance;
    LOWP_UNROLL for (int b = 1; b < kPointers; b++) from[b] = from[b - 1] + kShared * distance;
    const uint8_t* next = from[0] + R * distance;
    const auto add_step = [&]() __attribute__((always_inline)) {
      typename L::Float w[V];
      LOWP_UNROLL for (int j = 0; j < V; j++) {
        w[j] = L::LoadFloat(reinterpret_cast<const float*>(weights + j * L::kWeightBytes));
      }
      LOWP_UNROLL for (int i = 0; i < R; i++) {
        const auto value = L::Set(*reinterpret_cast<const float*>(from[i / kShared] + i % kShared * distance));
        LOWP_UNROLL for (int j = 0; j < V; j++) acc[i][j] = L::Fma(value, w[j], acc[i][j]);
      }
      LOWP_UNROLL for (int b = 0; b < kPointers; b++) {
        from[b] += sizeof(float);
        asm("" : "+r"(from[b]));  // one pointer a pixel would not fit into registers
      }
      weights += V * L::kWeightBytes;
    };
    if (next_step == 0) {
      for (size_t turn = x.steps / kTurn; turn > 0; turn--) {
        add_step();
        if (kTurn == 2) add_step();
      }
    } else {
      for (size_t turn = x.steps / kTurn; turn > 0; turn--, next += next_step) {
        __builtin_prefetch(next);
        if (R > 16) __builtin_prefetch(next + 128);
        add_step();
        if (V < 3) __builtin_prefetch(next + 64);
        if (R > 16) __builtin_prefetch(next + 192);
        if (kTurn == 2) add_step();
      }
    }
    if (x.steps % kTurn != 0) add_step();
  }
  L::Finish(t, pixel, acc);
}

using LineFunction = void (*)(const LineTask& x, const PanelTask& task, size_t pixel);

// At most `most` pixels at a time, in tiles whose sizes differ by at most one; by_pixels[i] is the tile of (most + 1) / 2 + i.
LOWP_INLINE void RunTilesOf(const LineTask& x, const PanelTask& t, const LineFunction* by_pixels, size_t most) {
  const size_t tiles = (t.m + most - 1) / most, pixels = t.m / tiles, larger = t.m % tiles;
  size_t pixel = 0;
  for (size_t i = 0; i < tiles; i++) {
    const size_t count = pixels + (i < larger ? 1 : 0);
    by_pixels[count - (most + 1) / 2](x, t, pixel);
    pixel += count;
  }
}

}  // namespace
}  // namespace lowp
