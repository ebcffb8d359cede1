// The table of copy rows, best first.
#include <cstring>

#include "kernels/copy/block.h"

namespace lowp {
namespace {

#if defined(__x86_64__)
const CopyRow* const kVectorRows[] = {
    &copy_transpose_x8_avx2_32x16,
    &copy_transpose_x32_avx2_8x8,
};
#endif

}  // namespace

const CopyRow* SelectCopyRow(CopyShape shape, size_t size, Isa isa, const char* force_row) {
  const CopyRow* best = nullptr;
  const auto consider = [&](const CopyRow* row) {
    if (row->shape != shape || row->size != size || row->isa > isa) return;
    const bool forced = force_row && std::strcmp(force_row, row->name) == 0;
    if (!best || forced) best = row;
  };
#if defined(__x86_64__)
  for (const CopyRow* row : kVectorRows) consider(row);
#endif
  for (const CopyRow& row : copy_scalar_rows) consider(&row);
  return best;
}

}  // namespace lowp
