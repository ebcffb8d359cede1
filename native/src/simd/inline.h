// How functions and loops of ISA files are declared, so that registers stay registers and no symbol is exported.
#pragma once

// A function of an anonymous namespace or a member of a struct of one: always inlined, so that headers shared by ISA
// files leave no symbol that the linker could pick for another ISA. Members without an object add `static`.
#define LOWP_INLINE inline __attribute__((always_inline))
// A loop over an array of registers: unrolled completely, or the array would live in memory.
#define LOWP_UNROLL _Pragma("GCC unroll 64")
