// The shallow row of AVX-512.
#if defined(__x86_64__)
#include "kernels/gemm/tile_avx512.h"
#include "kernels/shallow/tile.h"

namespace lowp {
namespace {

struct Lanes : Zmm {
  template <int R, int V>
  static LOWP_INLINE void Finish(const PanelTask& t, size_t pixel, __m512 (&acc)[R][V]) {
    FinishVectors<FloatMath, 0, V>(t, pixel, acc);
  }
};

template <int R, int V>
constexpr LineFunction kTile = RunLines<Lanes, R, V>;

constexpr LineFunction kOne[] = {kTile<8, 1>,  kTile<9, 1>,  kTile<10, 1>, kTile<11, 1>, kTile<12, 1>,
                                 kTile<13, 1>, kTile<14, 1>, kTile<15, 1>, kTile<16, 1>};
constexpr LineFunction kTwo[] = {kTile<7, 2>,  kTile<8, 2>,  kTile<9, 2>, kTile<10, 2>,
                                 kTile<11, 2>, kTile<12, 2>, kTile<13, 2>};
constexpr LineFunction kThree[] = {kTile<5, 3>, kTile<6, 3>, kTile<7, 3>, kTile<8, 3>, kTile<9, 3>};
constexpr LineFunction kFour[] = {kTile<3, 4>, kTile<4, 4>, kTile<5, 4>, kTile<6, 4>};

void Run(const LineTask& x, const PanelTask& t) {
  if (t.vectors == 1) return RunTilesOf(x, t, kOne, 16);
  if (t.vectors == 2) return RunTilesOf(x, t, kTwo, 13);
  if (t.vectors == 3) return RunTilesOf(x, t, kThree, 9);
  RunTilesOf(x, t, kFour, 6);
}

}  // namespace

const ShallowRow shallow_f32_avx512_13x32 = {"shallow_f32_avx512_13x32", Isa::kAvx512, 16, 4, 8, Run};

}  // namespace lowp
#endif
