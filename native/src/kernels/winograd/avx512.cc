// Winograd of floats with AVX-512.
#if defined(__x86_64__)
#include "simd/vec_avx512.h"

#include "kernels/winograd/generic.h"

namespace lowp {

const WinogradRows winograd_f32_avx512_16 = {TransformWindows<FloatLanes>, TransformOutput};

}  // namespace lowp
#endif
