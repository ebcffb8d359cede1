// Finds the instruction-set level of this CPU: CPUID says what it has, XGETBV what the operating system saves.
#include "cpu/isa.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace lowp {
namespace {

constexpr const char* kNames[] = {"scalar", "avx2", "avx512", "vnni"};

#if defined(__x86_64__)

constexpr uint64_t kYmmState = 0x06;   // XCR0: SSE and AVX
constexpr uint64_t kZmmState = 0xE6;   // and opmask, upper halves of zmm0-15, zmm16-31

constexpr bool Bit(uint32_t word, int index) { return (word >> index) & 1; }

uint64_t ReadXcr0() {
  uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
}

// Intel SDM volume 2, CPUID leaves 1 and 7; volume 1, section 13.3 for XCR0.
Isa Detect() {
  uint32_t a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return Isa::kScalar;
  const bool fma = Bit(c, 12), osxsave = Bit(c, 27), avx = Bit(c, 28), f16c = Bit(c, 29);
  if (!osxsave || !avx || !fma || !f16c) return Isa::kScalar;
  const uint64_t state = ReadXcr0();
  if ((state & kYmmState) != kYmmState) return Isa::kScalar;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !Bit(b, 5)) return Isa::kScalar;
  const bool avx512 = Bit(b, 16) && Bit(b, 17) && Bit(b, 30) && Bit(b, 31);
  if (!avx512 || (state & kZmmState) != kZmmState) return Isa::kAvx2;
  return Bit(c, 11) ? Isa::kVnni : Isa::kAvx512;
}

#else

Isa Detect() { return Isa::kScalar; }

#endif

}  // namespace

Isa DetectIsa() {
  static const Isa detected = Detect();
  return detected;
}

bool ParseIsa(const char* text, Isa* isa) {
  if (!text) return false;
  if (std::strcmp(text, "native") == 0) {
    *isa = DetectIsa();
    return true;
  }
  for (int level = 0; level < 4; level++) {
    if (std::strcmp(text, kNames[level]) != 0) continue;
    *isa = static_cast<Isa>(level);
    return true;
  }
  return false;
}

Isa ActiveIsa() {
  const Isa detected = DetectIsa();
  Isa limit = detected;
  if (!ParseIsa(std::getenv("LOWP_MAX_ISA"), &limit)) return detected;
  return limit < detected ? limit : detected;
}

const char* IsaName(Isa isa) { return kNames[static_cast<int>(isa)]; }

}  // namespace lowp
