// The rows that sum pixels.
#include "kernels/sampling/mix.h"

namespace lowp {
namespace {

constexpr Row<MixRows> kRows[] = {
#if defined(__x86_64__)
    LOWP_ROW(mix_f32_avx512_16, kAvx512),
    LOWP_ROW(mix_f32_avx2_8, kAvx2),
#endif
    LOWP_ROW(mix_f32_scalar, kScalar),
};

}  // namespace

const Row<MixRows>& SelectMix(const PrepareContext& context) { return SelectRow(kRows, context); }

}  // namespace lowp
