// A two-dimensional piece of a copy, and the functions that copy one. For ISA files too.
#pragma once
#include <cstddef>
#include <cstdint>

#include "cpu/isa.h"

namespace lowp {

// y[a * out_a + b * out_b] = x[a * in_a + b * in_b] for elements of `size` bytes, 0 <= a < na, 0 <= b < nb.
// Strides are bytes.
struct CopyBlock {
  const uint8_t* x = nullptr;
  uint8_t* y = nullptr;
  size_t na = 0;
  size_t nb = 0;
  ptrdiff_t in_a = 0;
  ptrdiff_t in_b = 0;
  ptrdiff_t out_a = 0;
  ptrdiff_t out_b = 0;
};

// What the strides of a block have in common.
enum class CopyShape : uint32_t {
  kRuns,       // in_b == out_b == size
  kFill,       // in_b == 0, out_b == size
  kTranspose,  // in_a == out_b == size
  kStrided,    // anything
};

struct CopyRow {
  const char* name;
  Isa isa;
  CopyShape shape;
  size_t size;         // bytes of an element
  uint64_t exact_a;    // blocks of at least so many a are read to their end, smaller ones up to kReadSlack behind it
  void (*run)(const CopyBlock& block);
};

// Never null: there is a scalar row for each shape and each of the sizes 1, 2, 4 and 8.
const CopyRow* SelectCopyRow(CopyShape shape, size_t size, Isa isa, const char* force_row);

extern const CopyRow copy_scalar_rows[16];
#if defined(__x86_64__)
extern const CopyRow copy_transpose_x8_avx2_32x16;
extern const CopyRow copy_transpose_x32_avx2_8x8;
#endif

}  // namespace lowp
