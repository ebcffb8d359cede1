// The list of all kernels, from the folder names that scripts/native-sources.cjs found.
#include <cstring>

#include "kernels/kernel.h"

namespace lowp {

#define LOWP_KERNEL(symbol) extern const KernelDef symbol;
#include "kernel_list.inc"
#undef LOWP_KERNEL

namespace {

#define LOWP_KERNEL(symbol) &symbol,
constexpr const KernelDef* kKernels[] = {
#include "kernel_list.inc"
};
#undef LOWP_KERNEL

}  // namespace

Span<const KernelDef* const> AllKernels() { return {kKernels, sizeof(kKernels) / sizeof(kKernels[0])}; }

const KernelDef* FindKernel(const char* name) {
  for (const KernelDef* kernel : AllKernels())
    if (std::strcmp(kernel->name, name) == 0) return kernel;
  return nullptr;
}

}  // namespace lowp
