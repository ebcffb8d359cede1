// `dequantize` with AVX-512.
#if defined(__x86_64__)
#include "simd/vec_avx512.h"

#include "kernels/dequantize/generic.h"

namespace lowp {

const DequantizeRows dequantize_u8f32_avx512_16 = {Dense, Pixels, Planes};

}  // namespace lowp
#endif
