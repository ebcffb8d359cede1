// `fake_quantize` with AVX2.
#if defined(__x86_64__)
#include "simd/vec_avx2.h"

#include "kernels/fake_quantize/generic.h"

namespace lowp {

const FakeQuantizeRows fake_quantize_f32_avx2_8 = {Uniform, Cyclic};

}  // namespace lowp
#endif
