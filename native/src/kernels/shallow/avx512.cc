// The shallow row of AVX-512.
#if defined(__x86_64__)
#include "kernels/gemm/tile_avx512.h"
#include "kernels/shallow/tile.h"

namespace lowp {
namespace {

struct Lanes : Zmm {
  static constexpr size_t kWeightBytes = 64;  // from vector to vector

  template <int R, int V>
  static LOWP_INLINE void Finish(const PanelTask& t, size_t pixel, __m512 (&acc)[R][V]) {
    FinishVectors<FloatMath, 0, V>(t, pixel, acc);
  }
};

// For epilogues that are rare beside a tile of many pixels.
__attribute__((noinline)) void FinishOneByOne(const PanelTask& t, size_t pixel, const __m512* sums, size_t count) {
  for (size_t i = 0; i < count; i++) {
    __m512 acc[1][1] = {{sums[i]}};
    FinishVectors<FloatMath, 0, 1>(t, pixel + i, acc);
  }
}

// Panels of at most 8 channels.
struct HalfLanes : Ymm {
  static constexpr size_t kWeightBytes = 64;  // from vector to vector

  template <int R, int V>
  static LOWP_INLINE void Finish(const PanelTask& t, size_t pixel, __m256 (&acc)[R][V]) {
    static_assert(V == 1);
    const Epilogue& e = *t.epilogue;
    if (e.mid || e.residual != ResidualKind::kNone || e.u8_output) {
      __m512 whole[R];
      LOWP_UNROLL for (int i = 0; i < R; i++) whole[i] = _mm512_zextps256_ps512(acc[i][0]);
      return FinishOneByOne(t, pixel, whole, R);
    }
    // Stores of 64 bytes, most of them masked, would reach into a second cache line.
    const __mmask8 mask = static_cast<__mmask8>((1u << t.columns) - 1);
    const __m256 bias = _mm256_loadu_ps(e.bias + t.n), low = _mm256_set1_ps(e.low), high = _mm256_set1_ps(e.high);
    uint8_t* y = t.y + pixel * t.y_stride;
    LOWP_UNROLL for (int i = 0; i < R; i++, y += t.y_stride) {
      const __m256 v = _mm256_add_ps(acc[i][0], bias);
      _mm256_mask_storeu_ps(y, mask, _mm256_min_ps(_mm256_max_ps(v, low), high));
    }
  }
};

template <int R>
constexpr LineFunction kHalf = RunLines<HalfLanes, R, 1>;
template <int R, int V>
constexpr LineFunction kTile = RunLines<Lanes, R, V>;

constexpr LineFunction kHalves[] = {kHalf<14>, kHalf<15>, kHalf<16>, kHalf<17>, kHalf<18>,
                                    kHalf<19>, kHalf<20>, kHalf<21>, kHalf<22>, kHalf<23>,
                                    kHalf<24>, kHalf<25>, kHalf<26>, kHalf<27>, kHalf<28>};
constexpr LineFunction kOne[] = {kTile<8, 1>,  kTile<9, 1>,  kTile<10, 1>, kTile<11, 1>, kTile<12, 1>,
                                 kTile<13, 1>, kTile<14, 1>, kTile<15, 1>, kTile<16, 1>};
constexpr LineFunction kTwo[] = {kTile<7, 2>,  kTile<8, 2>,  kTile<9, 2>, kTile<10, 2>,
                                 kTile<11, 2>, kTile<12, 2>, kTile<13, 2>};
constexpr LineFunction kThree[] = {kTile<5, 3>, kTile<6, 3>, kTile<7, 3>, kTile<8, 3>, kTile<9, 3>};
constexpr LineFunction kFour[] = {kTile<3, 4>, kTile<4, 4>, kTile<5, 4>, kTile<6, 4>};

void Run(const LineTask& x, const PanelTask& t) {
  if (t.columns <= 8 && t.m >= 14) return RunTilesOf(x, t, kHalves, 28);
  if (t.vectors == 1) return RunTilesOf(x, t, kOne, 16);
  if (t.vectors == 2) return RunTilesOf(x, t, kTwo, 13);
  if (t.vectors == 3) return RunTilesOf(x, t, kThree, 9);
  RunTilesOf(x, t, kFour, 6);
}

}  // namespace

const ShallowRow shallow_f32_avx512_13x32 = {"shallow_f32_avx512_13x32", Isa::kAvx512, 16, 4, 8, Run};

}  // namespace lowp
#endif
