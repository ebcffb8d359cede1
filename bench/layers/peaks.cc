// Loops of independent instructions on registers, in assembly so that a compiler neither drops nor reorders them.
#include "peaks.h"

#include <algorithm>
#include <cstdint>

#include "clock.h"

namespace layer_bench {
namespace {

constexpr uint64_t kTurns = 20000;

#define REPEAT12(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)
#define REPEAT24(F) REPEAT12(F) F(12) F(13) F(14) F(15) F(16) F(17) F(18) F(19) F(20) F(21) F(22) F(23)
#define CLEAR(r) "vpxor %%xmm" #r ", %%xmm" #r ", %%xmm" #r "\n\t"
#define LOOP(body)                                                                                            \
  uint64_t turns = kTurns;                                                                                    \
  asm volatile(REPEAT12(CLEAR) CLEAR(12) CLEAR(13) CLEAR(14) CLEAR(15) "1:\n\t" body "dec %0\n\tjnz 1b\n\t"   \
                                                                           "vzeroupper"                       \
               : "+r"(turns)::"cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",   \
                 "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15")

#define FMA_YMM(r) "vfmadd231ps %%ymm14, %%ymm15, %%ymm" #r "\n\t"
#define FMA_ZMM(r) "vfmadd231ps %%zmm30, %%zmm31, %%zmm" #r "\n\t"
#define DOT_ZMM(r) "vpdpbusd %%zmm30, %%zmm31, %%zmm" #r "\n\t"
#define PAIR_YMM(r)                             \
  "vpmaddwd %%ymm14, %%ymm15, %%ymm12\n\t"      \
  "vpaddd %%ymm12, %%ymm" #r ", %%ymm" #r "\n\t"
#define QUAD_YMM(r)                             \
  "vpmaddubsw %%ymm14, %%ymm15, %%ymm12\n\t"    \
  "vpmaddwd %%ymm15, %%ymm12, %%ymm13\n\t"      \
  "vpaddd %%ymm13, %%ymm" #r ", %%ymm" #r "\n\t"
#define QUAD_ZMM(r)                             \
  "vpmaddubsw %%zmm30, %%zmm31, %%zmm28\n\t"    \
  "vpmaddwd %%zmm31, %%zmm28, %%zmm29\n\t"      \
  "vpaddd %%zmm29, %%zmm" #r ", %%zmm" #r "\n\t"

void FmaYmm() { LOOP(REPEAT12(FMA_YMM)); }
void PairYmm() { LOOP(REPEAT12(PAIR_YMM)); }
void QuadYmm() { LOOP(REPEAT12(QUAD_YMM)); }
// Registers from 16 on are not the compiler's: this file is built without AVX-512. Their values do not matter to int8;
// zmm30 and zmm31 are cleared so that no float is denormal.
#define CLEAR_HIGH "vpxorq %%zmm30, %%zmm30, %%zmm30\n\tvpxorq %%zmm31, %%zmm31, %%zmm31\n\t"
void ClearHigh() {
#define CLEAR_ZMM(r) "vpxorq %%zmm" #r ", %%zmm" #r ", %%zmm" #r "\n\t"
  asm volatile(CLEAR_HIGH CLEAR_ZMM(16) CLEAR_ZMM(17) CLEAR_ZMM(18) CLEAR_ZMM(19) CLEAR_ZMM(20) CLEAR_ZMM(21)
                   CLEAR_ZMM(22) CLEAR_ZMM(23) "vzeroupper" ::);
}
void FmaZmm() { LOOP(REPEAT24(FMA_ZMM)); }
void DotZmm() { LOOP(REPEAT24(DOT_ZMM)); }
void QuadZmm() { LOOP(REPEAT24(QUAD_ZMM)); }

struct Loop {
  Peak peak;
  void (*run)();
  double operations;  // of one turn
  int level;          // 1 avx2, 2 avx512, 3 vnni
};

int CpuLevel() {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 0;
  if (!__builtin_cpu_supports("avx512bw")) return 1;
  return __builtin_cpu_supports("avx512vnni") ? 3 : 2;
}

double BestGops(const Loop& loop) {
  double best = 0;
  for (int run = 0; run < 60; run++) {
    const double begin = Now();
    loop.run();
    best = std::max(best, loop.operations * kTurns / (Now() - begin) * 1e-9);
  }
  return best;
}

}  // namespace

std::vector<Peak> MeasurePeaks(const std::string& isa) {
  const Loop loops[] = {{{"vfmadd231ps ymm", "f32", "avx2"}, FmaYmm, 12 * 16, 1},
                        {{"vpmaddwd + vpaddd ymm", "u8s8", "avx2"}, PairYmm, 12 * 32, 1},
                        {{"vpmaddubsw + vpmaddwd + vpaddd ymm", "u8s8", "avx2"}, QuadYmm, 12 * 64, 1},
                        {{"vfmadd231ps zmm", "f32", "avx512"}, FmaZmm, 24 * 32, 2},
                        {{"vpmaddubsw + vpmaddwd + vpaddd zmm", "u8s8", "avx512"}, QuadZmm, 24 * 128, 2},
                        {{"vpdpbusd zmm", "u8s8", "vnni"}, DotZmm, 24 * 128, 3}};
  const int limit = isa == "scalar" ? 0 : isa == "avx2" ? 1 : isa == "avx512" ? 2 : 3;
  const int level = std::min(limit, CpuLevel());
  if (level >= 2) ClearHigh();
  std::vector<Peak> peaks;
  for (const Loop& loop : loops) {
    if (loop.level > level) continue;
    peaks.push_back(loop.peak);
    peaks.back().gops = BestGops(loop);
  }
  return peaks;
}

}  // namespace layer_bench
