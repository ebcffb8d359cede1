// `fake_quantize` with AVX-512.
#if defined(__x86_64__)
#include "simd/vec_avx512.h"

#include "kernels/fake_quantize/generic.h"

namespace lowp {

const FakeQuantizeRows fake_quantize_f32_avx512_16 = {Uniform, Cyclic};

}  // namespace lowp
#endif
