// `quantize` with AVX-512.
#if defined(__x86_64__)
#include "simd/vec_avx512.h"

#include "kernels/quantize/generic.h"

namespace lowp {

const QuantizeRows quantize_f32u8_avx512_64 = {Dense, Pixels, Planes};

}  // namespace lowp
#endif
