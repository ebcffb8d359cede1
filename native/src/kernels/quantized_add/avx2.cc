// `quantized_add` with AVX2.
#if defined(__x86_64__)
#include "simd/vec_avx2.h"

#include "kernels/quantized_add/generic.h"

namespace lowp {

const QuantizedAddRows quantized_add_u8_avx2_32 = {ToU8, ToF32};

}  // namespace lowp
#endif
