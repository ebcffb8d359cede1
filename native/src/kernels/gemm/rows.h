// Chooses the micro-kernel of a call.
#pragma once
#include "kernels/gemm/row.h"

namespace lowp {

struct RowQuery {
  Isa isa = Isa::kScalar;
  bool integer = false;              // u8 x, s8 weights; otherwise f32
  bool computed = false;             // the weights are packed at run time, so that nothing is known of them
  const char* force_row = nullptr;   // taken when a row of this name fits
};

// Never null: the scalar rows fit everything.
const GemmRow* SelectRow(const RowQuery& query);

}  // namespace lowp
