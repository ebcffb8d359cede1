// Chooses the row of a depthwise call.
#pragma once
#include "kernels/depthwise/row.h"

namespace lowp {

// Never null: the scalar rows fit everything.
const DepthwiseRow* SelectDepthwiseRow(const DepthwiseGeometry& geometry, bool integer, Isa isa, const char* force_row);

}  // namespace lowp
