// `dequantize` with AVX2.
#if defined(__x86_64__)
#include "simd/vec_avx2.h"

#include "kernels/dequantize/generic.h"

namespace lowp {

const DequantizeRows dequantize_u8f32_avx2_8 = {Dense, Pixels, Planes};

}  // namespace lowp
#endif
