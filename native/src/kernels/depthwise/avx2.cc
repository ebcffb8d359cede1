// Depthwise rows of AVX2: s16 multiply-add on 16 channels, fma on 8. Ten pixels at a stride of 2 read more places of a
// large image at a time than the CPU foresees.
#if defined(__x86_64__)
#include "kernels/depthwise/float_rows.h"
#include "kernels/depthwise/integer_rows.h"

namespace lowp {
namespace {

using Block16 = PairBlock<Ymm>;

}  // namespace

extern const DepthwiseRow depthwise_f32_avx2_7x8 = {
    "depthwise_f32_avx2_7x8", Isa::kAvx2, DepthwisePacking::kPlainFloat, TapGroups::kSequence, 8, 8, 0, 0,
    RunFloat<Ymm>};
extern const DepthwiseRow depthwise_f32_avx2_3x3s1_10x8 =
    FloatColumnsRow<Ymm, 3, 1, 10>("depthwise_f32_avx2_3x3s1_10x8", Isa::kAvx2);
extern const DepthwiseRow depthwise_f32_avx2_3x3s2_10x8 =
    FloatColumnsRow<Ymm, 3, 2, 10, 5>("depthwise_f32_avx2_3x3s2_10x8", Isa::kAvx2);
extern const DepthwiseRow depthwise_f32_avx2_5x5s1_10x8 =
    FloatColumnsRow<Ymm, 5, 1, 10>("depthwise_f32_avx2_5x5s1_10x8", Isa::kAvx2);
extern const DepthwiseRow depthwise_f32_avx2_5x5s2_10x8 =
    FloatColumnsRow<Ymm, 5, 2, 10>("depthwise_f32_avx2_5x5s2_10x8", Isa::kAvx2);
extern const DepthwiseRow depthwise_u8s8_avx2_1x16 = {
    "depthwise_u8s8_avx2_1x16",  Isa::kAvx2, DepthwisePacking::kPairs, TapGroups::kSequence, 16, 16, 0, 0,
    RunInteger<Block16, Block16>};
extern const DepthwiseRow depthwise_u8s8_avx2_3x3s1_1x16 = IntegerColumnsRow<Block16, Block16, 3, 1>(
    "depthwise_u8s8_avx2_3x3s1_1x16", Isa::kAvx2, DepthwisePacking::kPairs);
extern const DepthwiseRow depthwise_u8s8_avx2_3x3s2_1x16 = IntegerColumnsRow<Block16, Block16, 3, 2>(
    "depthwise_u8s8_avx2_3x3s2_1x16", Isa::kAvx2, DepthwisePacking::kPairs);
extern const DepthwiseRow depthwise_u8s8_avx2_5x5s1_1x16 = IntegerColumnsRow<Block16, Block16, 5, 1>(
    "depthwise_u8s8_avx2_5x5s1_1x16", Isa::kAvx2, DepthwisePacking::kPairs);
extern const DepthwiseRow depthwise_u8s8_avx2_5x5s2_1x16 = IntegerColumnsRow<Block16, Block16, 5, 2>(
    "depthwise_u8s8_avx2_5x5s2_1x16", Isa::kAvx2, DepthwisePacking::kPairs);

}  // namespace lowp
#endif
