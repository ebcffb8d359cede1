// Forces inlining, so that headers shared by ISA files leave no symbol that the linker could pick for another ISA.
#pragma once

#define LOWP_INLINE static inline __attribute__((always_inline))
// A loop over an array of registers: unrolled completely, or the array would live in memory.
#define LOWP_UNROLL _Pragma("GCC unroll 64")
// The same for members of a struct.
#define LOWP_MEMBER inline __attribute__((always_inline))
