// The table of copy rows, best first.
#include "kernels/copy/block.h"
#include "kernels/row.h"

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
  RowChoice<CopyRow> choice(force_row);
  const auto consider = [&](const CopyRow& row) {
    if (row.shape == shape && row.size == size && Includes(isa, row.isa)) choice.Offer(row);
  };
#if defined(__x86_64__)
  for (const CopyRow* row : kVectorRows) consider(*row);
#endif
  for (const CopyRow& row : copy_scalar_rows) consider(row);
  return choice.best();
}

}  // namespace lowp
