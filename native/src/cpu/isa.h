// Instruction-set levels, each including the ones before it, and the level in force.
#pragma once

namespace lowp {

// kScalar: what the compiler emits for plain x86-64 (or another CPU). kAvx2: AVX2, FMA, F16C.
// kAvx512: F, BW, VL, DQ. kVnni: AVX-512 VNNI.
enum class Isa : int { kScalar = 0, kAvx2 = 1, kAvx512 = 2, kVnni = 3 };

// What CPU and operating system offer (CPUID and XGETBV), whatever the environment says.
Isa DetectIsa();

// The lower of DetectIsa() and the environment variable LOWP_MAX_ISA (scalar|avx2|avx512|vnni|native).
// An unknown value counts as "native".
Isa ActiveIsa();

const char* IsaName(Isa isa);

// True and sets *isa when the text names a level; "native" gives DetectIsa().
bool ParseIsa(const char* text, Isa* isa);

}  // namespace lowp
