// The rows of a kernel: one set of functions per instruction set, and the choice among them.
#pragma once
#include <cstring>

#include "kernels/kernel.h"

namespace lowp {

// The choice of every room: the row that `force_row` names where it fits, otherwise the first that fits.
template <class R>
class RowChoice {
 public:
  explicit RowChoice(const char* force_row) : force_row_(force_row) {}

  // Offer the rows that fit, best first. Names differ.
  void Offer(const R& row) {
    if (!best_ || (force_row_ && std::strcmp(row.name, force_row_) == 0)) best_ = &row;
  }

  // Null when nothing was offered.
  const R* best() const { return best_; }

 private:
  const char* force_row_;
  const R* best_ = nullptr;
};

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
  RowChoice<Row<Functions>> choice(context.force_row);
  for (const Row<Functions>& row : rows)
    if (Includes(context.isa, row.isa)) choice.Offer(row);
  return *choice.best();
}

}  // namespace lowp
