// The prepared call of convolution and matmul: packed weights, tiles, and the loop over panels.
#pragma once
#include "kernels/common/epilogue_operands.h"
#include "kernels/gemm/problem.h"
#include "kernels/kernel.h"

namespace lowp {

// Packs the weights of `problem` for the best row of the context. kMemory when memory is exhausted.
Result<PreparedPtr> PrepareGemm(const CallView& call, const PrepareContext& context, const EpilogueSettings& settings,
                                GemmProblem problem);

// Bytes of x from pixel to pixel, when x is nothing but what each pixel reads alone, is more than twice what is stored
// and does not fit into L2, so that it is worth fetching a block ahead; otherwise 0.
size_t StreamedBytes(const CallView& call, const GemmProblem& problem, const PrepareContext& context);

// Largest depth for which 255 * 128 * depth is an s32.
constexpr uint64_t kMostIntegerProducts = 65793;

}  // namespace lowp
