// The prepared call of convolution and matmul: packed weights, tiles, and the loop over panels.
#pragma once
#include "kernels/common/epilogue_operands.h"
#include "kernels/gemm/problem.h"
#include "kernels/kernel.h"

namespace lowp {

// Packs the weights of `problem` for the best row of the context. kMemory when memory is exhausted.
Result<PreparedPtr> PrepareGemm(const CallView& call, const PrepareContext& context, const EpilogueSettings& settings,
                                GemmProblem problem);

// Largest depth for which 255 * 128 * depth is an s32.
constexpr uint64_t kMostIntegerProducts = 65793;

}  // namespace lowp
