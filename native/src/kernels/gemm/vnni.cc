// The integer gemm row for AVX-512 VNNI.
#if defined(__x86_64__)
#include "kernels/gemm/vnni_math.h"

namespace lowp {

const GemmRow gemm_u8s8_vnni_6x64 = {"gemm_u8s8_vnni_6x64", Isa::kVnni, Packing::kQuads, 16, 4, 8, 6,
                                     RunPanel<VnniMath, 4>};

}  // namespace lowp
#endif
