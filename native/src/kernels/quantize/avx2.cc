// `quantize` with AVX2.
#if defined(__x86_64__)
#include "simd/vec_avx2.h"

#include "kernels/quantize/generic.h"

namespace lowp {

const QuantizeRows quantize_f32u8_avx2_32 = {Dense, Pixels, Planes};

}  // namespace lowp
#endif
