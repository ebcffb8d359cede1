// The shallow row of AVX2.
#if defined(__x86_64__)
#include "kernels/gemm/tile_avx2.h"
#include "kernels/shallow/tile.h"

namespace lowp {
namespace {

struct Lanes : Ymm {
  static constexpr size_t kWeightBytes = 32;  // from vector to vector

  template <int R, int V>
  static LOWP_INLINE void Finish(const PanelTask& t, size_t pixel, __m256 (&acc)[R][V]) {
    FinishVectors<FloatMath>(t, pixel, acc);
  }
};

template <int R, int V>
constexpr LineFunction kTile = RunLines<Lanes, R, V>;

constexpr LineFunction kOne[] = {kTile<6, 1>,  kTile<7, 1>,  kTile<8, 1>, kTile<9, 1>,
                                 kTile<10, 1>, kTile<11, 1>, kTile<12, 1>};
constexpr LineFunction kTwo[] = {kTile<3, 2>, kTile<4, 2>, kTile<5, 2>, kTile<6, 2>};

void Run(const LineTask& x, const PanelTask& t) {
  if (t.vectors == 1) return RunTilesOf(x, t, kOne, 12);
  RunTilesOf(x, t, kTwo, 6);
}

}  // namespace

const ShallowRow shallow_f32_avx2_6x16 = {"shallow_f32_avx2_6x16", Isa::kAvx2, 8, 2, 6, Run};

}  // namespace lowp
#endif
