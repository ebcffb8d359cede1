// Loops of independent instructions on registers, in assembly so that a compiler neither drops nor reorders them, and
// loops over memory.
#include "cpu/peaks.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>

#include "base/aligned.h"
#include "cpu/cache.h"
#include "cpu/tile_config.h"

namespace lowp {
namespace {

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

#if defined(__x86_64__)

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

// Sums in tiles 0 to 3, operands in 4 to 7; 16 products of tiles a turn.
void DotTile() {
  const TileConfig config;
#define DOT_TILES                                                                           \
  "tdpbusd %%tmm6, %%tmm4, %%tmm0\n\ttdpbusd %%tmm7, %%tmm4, %%tmm1\n\t"                    \
  "tdpbusd %%tmm6, %%tmm5, %%tmm2\n\ttdpbusd %%tmm7, %%tmm5, %%tmm3\n\t"
  uint64_t turns = kTurns;
  asm volatile("ldtilecfg %1\n\t1:\n\t" DOT_TILES DOT_TILES DOT_TILES DOT_TILES
               "dec %0\n\tjnz 1b\n\ttilerelease"
               : "+r"(turns)
               : "m"(config)
               : "cc");
}

struct Loop {
  ArithmeticPeak peak;
  void (*run)();
  double operations;  // of one turn
};

double BestGops(const Loop& loop) {
  double best = 0;
  for (int run = 0; run < 60; run++) {
    const double begin = Now();
    loop.run();
    best = std::max(best, loop.operations * kTurns / (Now() - begin) * 1e-9);
  }
  return best;
}

#endif

// The sum of all words, so that no read can be left out; four chains, or the additions would be what is measured.
uint64_t ReadAll(const uint64_t* words, size_t count) {
#if defined(__x86_64__)
  if (DetectIsa() >= Isa::kAvx2) {
    const uint64_t *at = words, *end = words + count / 16 * 16;
    asm volatile(
        "1:\n\t"
        "vmovdqa (%0), %%ymm0\n\t"
        "vmovdqa 32(%0), %%ymm1\n\t"
        "vmovdqa 64(%0), %%ymm2\n\t"
        "vmovdqa 96(%0), %%ymm3\n\t"
        "add $128, %0\n\t"
        "cmp %1, %0\n\t"
        "jb 1b\n\t"
        "vzeroupper"
        : "+r"(at)
        : "r"(end)
        : "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3");
    return 0;
  }
#endif
  uint64_t sum[4] = {};
  for (size_t i = 0; i + 4 <= count; i += 4)
    for (size_t j = 0; j < 4; j++) sum[j] += words[i + j];
  return sum[0] + sum[1] + sum[2] + sum[3];
}

double BestGbps(const uint64_t* words, size_t bytes) {
  constexpr double kLeastBytes = 64e6;  // per measurement: some milliseconds
  const int turns = static_cast<int>(std::max(1.0, kLeastBytes / static_cast<double>(bytes)));
  double best = 0;
  volatile uint64_t sink = 0;
  for (int run = 0; run < 12; run++) {
    const double begin = Now();
    for (int turn = 0; turn < turns; turn++) sink = sink + ReadAll(words, bytes / sizeof(uint64_t));
    best = std::max(best, static_cast<double>(bytes) * turns / (Now() - begin) * 1e-9);
  }
  return best;
}

}  // namespace

std::vector<ArithmeticPeak> MeasureArithmetic(Isa isa) {
  std::vector<ArithmeticPeak> peaks;
#if defined(__x86_64__)
  const Loop loops[] = {{{"vfmadd231ps ymm", "f32", Isa::kAvx2}, FmaYmm, 12 * 16},
                        {{"vpmaddwd + vpaddd ymm", "u8s8", Isa::kAvx2}, PairYmm, 12 * 32},
                        {{"vpmaddubsw + vpmaddwd + vpaddd ymm", "u8s8", Isa::kAvx2}, QuadYmm, 12 * 64},
                        {{"vfmadd231ps zmm", "f32", Isa::kAvx512}, FmaZmm, 24 * 32},
                        {{"vpmaddubsw + vpmaddwd + vpaddd zmm", "u8s8", Isa::kAvx512}, QuadZmm, 24 * 128},
                        {{"vpdpbusd zmm", "u8s8", Isa::kVnni}, DotZmm, 24 * 128},
                        {{"tdpbusd", "u8s8", Isa::kAmx}, DotTile, 16 * 32768}};
  const Isa level = std::min(isa, DetectIsa());
  if (level >= Isa::kAvx512) ClearHigh();
  for (const Loop& loop : loops) {
    if (loop.peak.isa > level) continue;
    peaks.push_back(loop.peak);
    peaks.back().gops = BestGops(loop);
  }
#else
  (void)isa;
#endif
  return peaks;
}

std::vector<ReadPeak> MeasureReading() {
  constexpr size_t kLeastMemory = size_t{96} << 20;
  const CacheSizes caches = DetectCaches();
  std::vector<ReadPeak> peaks = {{"L1", caches.l1_bytes / 2},
                                 {"L2", caches.l2_bytes / 2},
                                 {"L3", caches.l3_bytes / 2},
                                 {"memory", std::max(kLeastMemory, 4 * caches.l3_bytes)}};
  const size_t most = peaks.back().bytes;
  const AlignedPtr<uint8_t> memory = AllocateAligned<uint8_t>(most);
  if (!memory) return {};
  std::memset(memory.get(), 1, most);
  peaks.erase(std::remove_if(peaks.begin(), peaks.end(), [](const ReadPeak& p) { return p.bytes < 128; }), peaks.end());
  for (ReadPeak& peak : peaks) peak.gbps = BestGbps(reinterpret_cast<const uint64_t*>(memory.get()), peak.bytes / 128 * 128);
  return peaks;
}

}  // namespace lowp
