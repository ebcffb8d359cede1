// Instruction-set levels in order of preference, and the level in force.
#pragma once

namespace lowp {

// kScalar: what the compiler emits for plain x86-64 (or another CPU). kAvx2: AVX2, FMA, F16C.
// kAvxVnni: AVX2 and AVX-VNNI. kAvx512: F, BW, VL, DQ. kVnni: AVX-512 VNNI. kAmx: AMX-TILE and AMX-INT8.
// Each includes the ones before it, but those above kAvxVnni do not include kAvxVnni: most CPUs with AVX-512 lack it.
enum class Isa : int { kScalar = 0, kAvx2 = 1, kAvxVnni = 2, kAvx512 = 3, kVnni = 4, kAmx = 5 };
constexpr Isa kIsas[] = {Isa::kScalar, Isa::kAvx2, Isa::kAvxVnni, Isa::kAvx512, Isa::kVnni, Isa::kAmx};

// True when code compiled for `needed` may run where `level` is in force.
constexpr bool Includes(Isa level, Isa needed) {
  return needed == Isa::kAvxVnni ? level == Isa::kAvxVnni : needed <= level;
}

// What CPU and operating system offer (CPUID and XGETBV), whatever the environment says. Where there is AMX, the first
// call asks Linux to let this process use it; that needs no privileges and enlarges the frames of signals.
Isa DetectIsa();

// The highest level that CPU and operating system offer and that is not above `limit`.
Isa HighestIsa(Isa limit);

// HighestIsa() of the environment variable LOWP_MAX_ISA (scalar|avx2|avxvnni|avx512|vnni|amx|native).
// An unknown value counts as "native".
Isa ActiveIsa();

const char* IsaName(Isa isa);

// True and sets *isa when the text names a level; "native" gives DetectIsa().
bool ParseIsa(const char* text, Isa* isa);

}  // namespace lowp
