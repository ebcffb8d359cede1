// Winograd of bytes with AVX2.
#if defined(__x86_64__)
#include "kernels/gemm/tile_avx2.h"

#include "kernels/winograd/integer_tile.h"

namespace lowp {
namespace {

constexpr GemmRow kProducts = {"winograd_s16_avx2_6x16", Isa::kAvx2, Packing::kPairs, 8, 2, 2, 6,
                               RunPanel<WordMath<Ymm>>};

}  // namespace

const WinogradByteRow winograd_u8s8_avx2_6x16 = {"winograd_u8s8_avx2_6x16", Isa::kAvx2, &kProducts,
                                              TransformWindows<WordLanes<Ymm>>, TransformSums<Ymm>};

}  // namespace lowp
#endif
