// `max_positions` in plain C++: the specification of its results.
#include "kernels/pool/positions_generic.h"

namespace lowp {

const PositionsRows max_positions_scalar_1x16 = LOWP_POSITIONS_ROWS;

}  // namespace lowp
