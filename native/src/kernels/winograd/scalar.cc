// Winograd of floats without vector instructions.
#include "simd/vec_scalar.h"

#include "kernels/winograd/generic.h"

namespace lowp {

const WinogradRows winograd_f32_scalar = {TransformWindows<FloatLanes>, TransformOutput};

}  // namespace lowp
