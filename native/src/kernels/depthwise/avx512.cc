// Depthwise rows of AVX-512: s16 multiply-add on 32 channels, fma on 16.
#if defined(__x86_64__)
#include "kernels/depthwise/float_rows.h"
#include "kernels/depthwise/integer_rows.h"

namespace lowp {
namespace {

using Block32 = PairBlock<Zmm>;
using Block16 = PairBlock<Ymm>;

}  // namespace

extern const DepthwiseRow depthwise_f32_avx512_7x16 = {"depthwise_f32_avx512_7x16",
                                                       Isa::kAvx512,
                                                       DepthwisePacking::kPlainFloat,
                                                       TapGroups::kSequence,
                                                       16,
                                                       16,
                                                       0,
                                                       0,
                                                       RunFloat<Zmm>};
extern const DepthwiseRow depthwise_f32_avx512_3x3s1_7x16 =
    FloatColumnsRow<Zmm, 3, 1, 7>("depthwise_f32_avx512_3x3s1_7x16", Isa::kAvx512);
extern const DepthwiseRow depthwise_f32_avx512_3x3s2_7x16 =
    FloatColumnsRow<Zmm, 3, 2, 7>("depthwise_f32_avx512_3x3s2_7x16", Isa::kAvx512);
extern const DepthwiseRow depthwise_f32_avx512_5x5s1_14x16 =
    FloatColumnsRow<Zmm, 5, 1, 14>("depthwise_f32_avx512_5x5s1_14x16", Isa::kAvx512);
extern const DepthwiseRow depthwise_f32_avx512_5x5s2_14x16 =
    FloatColumnsRow<Zmm, 5, 2, 14>("depthwise_f32_avx512_5x5s2_14x16", Isa::kAvx512);
extern const DepthwiseRow depthwise_u8s8_avx512_1x32 = {
    "depthwise_u8s8_avx512_1x32", Isa::kAvx512, DepthwisePacking::kPairs, TapGroups::kSequence, 32, 16, 0, 0,
    RunInteger<Block32, Block16>};
extern const DepthwiseRow depthwise_u8s8_avx512_3x3s1_1x32 = IntegerColumnsRow<Block32, Block16, 3, 1>(
    "depthwise_u8s8_avx512_3x3s1_1x32", Isa::kAvx512, DepthwisePacking::kPairs);
extern const DepthwiseRow depthwise_u8s8_avx512_3x3s2_1x32 = IntegerColumnsRow<Block32, Block16, 3, 2>(
    "depthwise_u8s8_avx512_3x3s2_1x32", Isa::kAvx512, DepthwisePacking::kPairs);
extern const DepthwiseRow depthwise_u8s8_avx512_5x5s1_1x32 = IntegerColumnsRow<Block32, Block16, 5, 1>(
    "depthwise_u8s8_avx512_5x5s1_1x32", Isa::kAvx512, DepthwisePacking::kPairs);
extern const DepthwiseRow depthwise_u8s8_avx512_5x5s2_1x32 = IntegerColumnsRow<Block32, Block16, 5, 2>(
    "depthwise_u8s8_avx512_5x5s2_1x32", Isa::kAvx512, DepthwisePacking::kPairs);

}  // namespace lowp
#endif
