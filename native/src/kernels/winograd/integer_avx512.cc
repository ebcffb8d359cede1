// Winograd of bytes with AVX-512.
#if defined(__x86_64__)
#include "kernels/gemm/tile_avx512.h"

#include "kernels/winograd/integer_tile.h"

namespace lowp {
namespace {

constexpr GemmRow kProducts = {"winograd_s16_avx512_6x64", Isa::kAvx512, Packing::kPairs, 16, 4, 4, 6,
                               RunPanel<WordMath<Zmm>, 4>};

}  // namespace

const WinogradByteRow winograd_u8s8_avx512_6x64 = {"winograd_u8s8_avx512_6x64", Isa::kAvx512, &kProducts,
                                              TransformWindows<WordLanes<Zmm>>, TransformSums<Zmm>};

}  // namespace lowp
#endif
