// `max_positions` compiled for AVX-512.
#if defined(__x86_64__)
#include "kernels/pool/positions_generic.h"

namespace lowp {

const PositionsRows max_positions_avx512_1x16 = LOWP_POSITIONS_ROWS;

}  // namespace lowp
#endif
