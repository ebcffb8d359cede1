// Winograd of floats with AVX2.
#if defined(__x86_64__)
#include "simd/vec_avx2.h"

#include "kernels/winograd/generic.h"

namespace lowp {

const WinogradRows winograd_f32_avx2_8 = {TransformWindows<FloatLanes>, TransformOutput};

}  // namespace lowp
#endif
