// `quantized_add` with AVX-512.
#if defined(__x86_64__)
#include "simd/vec_avx512.h"

#include "kernels/quantized_add/generic.h"

namespace lowp {

const QuantizedAddRows quantized_add_u8_avx512_64 = {ToU8, ToF32};

}  // namespace lowp
#endif
