// Chooses the micro-kernel of a call.
#pragma once
#include "kernels/gemm/row.h"

namespace lowp {

struct RowQuery {
  Isa isa = Isa::kScalar;
  bool integer = false;              // u8 x, s8 weights; otherwise f32
  bool computed = false;             // the weights are packed at run time, so that nothing is known of them
  const char* force_row = nullptr;   // taken when a row of this name fits
  size_t rows = SIZE_MAX;            // of the product
  size_t steps = SIZE_MAX;           // of a row, about
  bool grouped = false;              // the weights are in several groups
  bool placed = false;               // the bias depends on the place of a row
};

// Never null: the scalar rows fit everything.
const GemmRow* SelectRow(const RowQuery& query);

// A thread's tasks of a row, all with tiles of so many rows, lie within a scope.
class RowScope {
 public:
  RowScope(const GemmRow& row, size_t tile_rows) : leave_(row.leave) {
    if (row.enter) row.enter(tile_rows);
  }
  ~RowScope() {
    if (leave_) leave_();
  }
  RowScope(const RowScope&) = delete;
  RowScope& operator=(const RowScope&) = delete;

 private:
  void (*leave_)();
};

}  // namespace lowp
