// `resize` without vector instructions.
#include "simd/vec_scalar.h"

#include "kernels/resize/generic.h"

namespace lowp {

const ResizeRows resize_f32_scalar = {Blend};

}  // namespace lowp
