// Pooling rows of AVX2.
#if defined(__x86_64__)
#include "kernels/pool/vector_rows.h"

namespace lowp {

extern const PoolRow pool_max_f32_avx2_1x32 = {"pool_max_f32_avx2_1x32", Isa::kAvx2, PoolKind::kMaxF32,
                                               RunFold<MaxFloats, Ymm>};
extern const PoolRow pool_max_u8_avx2_1x128 = {"pool_max_u8_avx2_1x128", Isa::kAvx2, PoolKind::kMaxU8,
                                               RunFold<MaxOfBytes, Ymm>};
extern const PoolRow pool_average_f32_avx2_1x32 = {"pool_average_f32_avx2_1x32", Isa::kAvx2, PoolKind::kAverageF32,
                                                   RunFold<SumFloats, Ymm>};
extern const PoolRow pool_average_u8_avx2_1x32 = {"pool_average_u8_avx2_1x32", Isa::kAvx2, PoolKind::kAverageU8,
                                                  RunAverageU8<Ymm>};

}  // namespace lowp
#endif
