// The rows of a kernel: one set of functions per instruction set, and the choice among them.
#pragma once
#include <cstring>

#include "kernels/kernel.h"

namespace lowp {

template <class Functions>
struct Row {
  const char* name;
  Isa isa;
  const Functions* run;
};

// A row whose name is that of its function table.
#define LOWP_ROW(table, isa) \
  { #table, ::lowp::Isa::isa, &table }

// Rows are listed best first and end with the scalar row. A forced row counts where its instruction set is in force.
template <class Functions, size_t N>
const Row<Functions>& SelectRow(const Row<Functions> (&rows)[N], const PrepareContext& context) {
  for (const Row<Functions>& row : rows)
    if (context.force_row && row.isa <= context.isa && std::strcmp(row.name, context.force_row) == 0) return row;
  for (const Row<Functions>& row : rows)
    if (row.isa <= context.isa) return row;
  return rows[N - 1];
}

}  // namespace lowp
