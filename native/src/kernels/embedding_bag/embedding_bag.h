// Kernel `embedding_bag`: sums, or means, of rows of a table.
//
//   y[b] = sum over the members i of bag b of weights[i] * table[indices[i]];  mean = 1 divides by their number
//
// in 0  table    f32 [rows, width]
// in 1  indices  i32 or i64 [members]; negative ones count from the end
// in 2  bags     of the type of the indices; absent for members = bags * n: bag b has n of them, one after the other.
//                by_member = 0: [bags], the first member of each bag, ascending from 0 on; members in front of the first
//                bag are in none. by_member = 1: [members], the bag of each member, in any order;
//                negative ones count from the end.
// in 3  weights  f32 [members], or absent: ones
// out 0 y        f32 [bags, width]
//
// A bag without members is row default_index of the table, or zeros where that is negative. Sums are doubles, members in
// order, rounded once. Indices and bags that lie outside are reported (Fault), and their members are left out.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_EMBEDDING_BAG_PARAMS(F) \
  F(u32, rows) F(u32, width) F(u32, members) F(u32, bags) F(u32, by_member) F(u32, mean) F(i32, default_index)
LOWP_PARAMS(EmbeddingBagParams, LOWP_EMBEDDING_BAG_PARAMS)

extern const KernelDef kernel_embedding_bag;

}  // namespace lowp
