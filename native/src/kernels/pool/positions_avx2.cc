// `max_positions` compiled for AVX2.
#if defined(__x86_64__)
#include "kernels/pool/positions_generic.h"

namespace lowp {

const PositionsRows max_positions_avx2_1x16 = LOWP_POSITIONS_ROWS;

}  // namespace lowp
#endif
