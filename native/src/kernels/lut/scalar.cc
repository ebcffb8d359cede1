// `lut` without vector instructions.
#include "kernels/lut/rows.h"

namespace lowp {
namespace {

void Run(const uint8_t* x, const uint8_t* table, uint8_t* y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = table[x[i]];
}

}  // namespace

const LutRows lut_u8_scalar = {Run};

}  // namespace lowp
