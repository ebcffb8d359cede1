// `unary` without vector instructions.
#include "simd/vec_scalar.h"

#include "kernels/unary/generic.h"

namespace lowp {

const UnaryRows unary_f32_scalar = LOWP_UNARY_ROWS;

}  // namespace lowp
