// Pooling rows of AVX-512.
#if defined(__x86_64__)
#include "kernels/pool/vector_rows.h"

namespace lowp {

extern const PoolRow pool_max_f32_avx512_1x64 = {"pool_max_f32_avx512_1x64", Isa::kAvx512, PoolKind::kMaxF32,
                                                 RunFold<MaxFloats, Zmm>};
extern const PoolRow pool_max_u8_avx512_1x256 = {"pool_max_u8_avx512_1x256", Isa::kAvx512, PoolKind::kMaxU8,
                                                 RunFold<MaxOfBytes, Zmm>};
extern const PoolRow pool_average_f32_avx512_1x64 = {"pool_average_f32_avx512_1x64", Isa::kAvx512,
                                                     PoolKind::kAverageF32, RunFold<SumFloats, Zmm>};
extern const PoolRow pool_average_u8_avx512_1x64 = {"pool_average_u8_avx512_1x64", Isa::kAvx512, PoolKind::kAverageU8,
                                                    RunAverageU8<Zmm>};

}  // namespace lowp
#endif
