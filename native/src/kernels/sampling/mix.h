// The choice of the row that sums pixels, for the kernels of this room.
#pragma once
#include "kernels/row.h"
#include "kernels/sampling/rows.h"

namespace lowp {

const Row<MixRows>& SelectMix(const PrepareContext& context);

}  // namespace lowp
