// Finds the instruction-set level of this CPU: CPUID says what it has, XGETBV what the operating system saves.
#include "cpu/isa.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

namespace lowp {
namespace {

constexpr const char* kNames[] = {"scalar", "avx2", "avxvnni", "avx512", "vnni", "amx"};

struct Offer {
  Isa highest = Isa::kScalar;
  bool avx_vnni = false;
};

#if defined(__x86_64__)

constexpr uint64_t kYmmState = 0x06;       // XCR0: SSE and AVX
constexpr uint64_t kZmmState = 0xE6;       // and opmask, upper halves of zmm0-15, zmm16-31
constexpr uint64_t kTileState = 0x60000;   // XTILECFG and XTILEDATA

constexpr bool Bit(uint32_t word, int index) { return (word >> index) & 1; }

uint64_t ReadXcr0() {
  uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
}

// Linux lets a process use XTILEDATA when it asks (arch_prctl, Documentation/arch/x86/xstate.rst). It refuses where the
// alternate signal stack of a thread would be too small.
bool TilesAreAllowed() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

// Intel SDM volume 2, CPUID leaves 1 and 7; volume 1, section 13.3 for XCR0.
Offer Detect() {
  uint32_t a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return {};
  const bool fma = Bit(c, 12), osxsave = Bit(c, 27), avx = Bit(c, 28), f16c = Bit(c, 29);
  if (!osxsave || !avx || !fma || !f16c) return {};
  const uint64_t state = ReadXcr0();
  if ((state & kYmmState) != kYmmState) return {};
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !Bit(b, 5)) return {};
  const bool avx512 = Bit(b, 16) && Bit(b, 17) && Bit(b, 30) && Bit(b, 31) && (state & kZmmState) == kZmmState;
  const bool avx512_vnni = Bit(c, 11);
  const bool amx = Bit(d, 24) && Bit(d, 25) && (state & kTileState) == kTileState;
  const bool avx_vnni = __get_cpuid_count(7, 1, &a, &b, &c, &d) && Bit(a, 4);
  if (avx512 && avx512_vnni) return {amx && TilesAreAllowed() ? Isa::kAmx : Isa::kVnni, avx_vnni};
  if (avx512) return {Isa::kAvx512, avx_vnni};
  return {avx_vnni ? Isa::kAvxVnni : Isa::kAvx2, avx_vnni};
}

#else

Offer Detect() { return {}; }

#endif

const Offer& Detected() {
  static const Offer detected = Detect();
  return detected;
}

}  // namespace

Isa DetectIsa() { return Detected().highest; }

Isa HighestIsa(Isa limit) {
  if (limit >= DetectIsa()) return DetectIsa();
  return limit == Isa::kAvxVnni && !Detected().avx_vnni ? Isa::kAvx2 : limit;
}

bool ParseIsa(const char* text, Isa* isa) {
  if (!text) return false;
  if (std::strcmp(text, "native") == 0) {
    *isa = DetectIsa();
    return true;
  }
  for (const Isa level : kIsas) {
    if (std::strcmp(text, IsaName(level)) != 0) continue;
    *isa = level;
    return true;
  }
  return false;
}

Isa ActiveIsa() {
  Isa limit = DetectIsa();
  ParseIsa(std::getenv("LOWP_MAX_ISA"), &limit);
  return HighestIsa(limit);
}

const char* IsaName(Isa isa) { return kNames[static_cast<int>(isa)]; }

}  // namespace lowp
