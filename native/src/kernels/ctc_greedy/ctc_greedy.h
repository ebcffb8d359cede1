// Kernel `ctc_greedy`: the label of every step of a sequence, without blanks and, with merge = 1, without repetitions.
//
// in 0   scores   f32; class c of step t of sequence n is element n * sequence_stride + t * step_stride + c
// in 1   lengths  masked = 0: i32 or i64 [batch], the steps of each sequence
//                 masked = 1: f32 [steps, batch], whose first 0 ends a sequence
// out 0  labels   f32, i32 or i64 [batch, steps], filled up with -1
// out 1  counts   optional, i32 or i64 [batch]: labels of each sequence
//
// The label of a step is the class with the largest score, the first of equal ones, and 0 where the first score is NaN.
// It is listed unless it is `blank`, or equals that of the step before and merge = 1. A length outside of [0, steps] is
// reported (Fault), and its sequence has no labels.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_CTC_GREEDY_PARAMS(F)                                                                      \
  F(u32, batch) F(u32, steps) F(u32, classes) F(u32, step_stride) F(u32, sequence_stride) F(i32, blank) \
  F(u32, merge) F(u32, masked)
LOWP_PARAMS(CtcGreedyParams, LOWP_CTC_GREEDY_PARAMS)

extern const KernelDef kernel_ctc_greedy;

}  // namespace lowp
