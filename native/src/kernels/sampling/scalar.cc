// The weighted sum of pixels without vector instructions.
#include "simd/vec_scalar.h"

#include "kernels/sampling/generic.h"

namespace lowp {

const MixRows mix_f32_scalar = {Mix};

}  // namespace lowp
