// `eltwise` without vector instructions.
#include "simd/vec_scalar.h"

#include "kernels/eltwise/generic.h"

namespace lowp {

const EltwiseRows eltwise_f32_scalar = LOWP_ELTWISE_ROWS;

}  // namespace lowp
