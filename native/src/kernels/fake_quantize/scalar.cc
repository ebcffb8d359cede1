// `fake_quantize` without vector instructions.
#include "simd/vec_scalar.h"

#include "kernels/fake_quantize/generic.h"

namespace lowp {

const FakeQuantizeRows fake_quantize_f32_scalar = {Uniform, Cyclic};

}  // namespace lowp
