// Dispatch: names of levels, limits from the environment and from options, and which rows come into force.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "cpu/cache.h"
#include "cpu/isa.h"
#include "program/program.h"
#include "program_bytes.h"

namespace lowp {
namespace {

using test::ProgramBytes;

// Sets LOWP_MAX_ISA for its lifetime.
class ScopedMaxIsa {
 public:
  explicit ScopedMaxIsa(const char* value) {
    const char* before = std::getenv("LOWP_MAX_ISA");
    had_ = before != nullptr;
    if (before) before_ = before;
    setenv("LOWP_MAX_ISA", value, 1);
  }
  ~ScopedMaxIsa() { had_ ? setenv("LOWP_MAX_ISA", before_.c_str(), 1) : unsetenv("LOWP_MAX_ISA"); }

 private:
  bool had_ = false;
  std::string before_;
};

TEST(Isa, NamesAndLevelsAgree) {
  for (const Isa isa : kIsas) {
    Isa parsed = Isa::kScalar;
    ASSERT_TRUE(ParseIsa(IsaName(isa), &parsed));
    EXPECT_EQ(parsed, isa);
  }
  Isa parsed = Isa::kAvx2;
  EXPECT_FALSE(ParseIsa("sse9", &parsed));
  EXPECT_FALSE(ParseIsa(nullptr, &parsed));
  EXPECT_EQ(parsed, Isa::kAvx2);
}

TEST(Isa, TheEnvironmentLowersButNeverRaises) {
  for (const Isa isa : kIsas) {
    const ScopedMaxIsa limit(IsaName(isa));
    EXPECT_EQ(ActiveIsa(), HighestIsa(isa));
    EXPECT_LE(ActiveIsa(), std::min(isa, DetectIsa()));
    if (isa != Isa::kAvxVnni) {
      EXPECT_EQ(ActiveIsa(), std::min(isa, DetectIsa()));
    }
  }
  const ScopedMaxIsa unknown("sse9");
  EXPECT_EQ(ActiveIsa(), DetectIsa());
}

// Who chose a machine for its level (an emulator, a runner of CI) names it, so that no weaker one passes unseen.
TEST(Isa, IsTheOneThatWasAskedFor) {
  const char* asked = std::getenv("LOWP_EXPECT_ISA");
  if (!asked) GTEST_SKIP() << "LOWP_EXPECT_ISA names no level";
  EXPECT_STREQ(IsaName(ActiveIsa()), asked);
}

TEST(Isa, LevelsIncludeThoseBelowButAvxVnniOnlyItself) {
  for (const Isa level : kIsas) {
    EXPECT_EQ(Includes(level, Isa::kAvxVnni), level == Isa::kAvxVnni);
    for (const Isa needed : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kVnni, Isa::kAmx})
      EXPECT_EQ(Includes(level, needed), needed <= level) << IsaName(level) << " " << IsaName(needed);
  }
  EXPECT_EQ(HighestIsa(Isa::kScalar), Isa::kScalar);
  EXPECT_EQ(HighestIsa(DetectIsa()), DetectIsa());
}

TEST(Cpu, FactsMakeSense) {
  const CacheSizes caches = DetectCaches();
  EXPECT_GE(caches.l1_bytes, 4096u);
  EXPECT_GE(caches.l2_bytes, caches.l1_bytes);
  EXPECT_GE(UsableCores(), 1u);
  EXPECT_FALSE(CpuBrand().empty());
}

TEST(Kernels, HaveDistinctNamesAndAreFoundByThem) {
  EXPECT_FALSE(AllKernels().empty());
  for (const KernelDef* kernel : AllKernels()) EXPECT_EQ(FindKernel(kernel->name), kernel) << kernel->name;
  EXPECT_EQ(FindKernel("no_such_kernel"), nullptr);
  EXPECT_EQ(FindKernel(""), nullptr);
}

// A product x [8, 64] · w [64, 32] of f32, whose row is asked for.
std::string MatmulRow(const CompileOptions& options) {
  ProgramBytes bytes;
  const uint32_t x = bytes.Port(BufferKind::kInput, "x", ElementType::kF32, {8, 64});
  const uint32_t w = bytes.Constant(ElementType::kF32, 64 * 32, 0);
  const uint32_t y = bytes.Port(BufferKind::kOutput, "y", ElementType::kF32, {8, 32});
  bytes.Call("matmul", "product", {x, w, kNoIndex, kNoIndex, kNoIndex, kNoIndex}, {y},
             test::ParamsOf("matmul", {{"m", 8}, {"k", 64}, {"n", 32}, {"in_stride", 64}, {"out_stride", 32},
                                       {"low", 0xff800000}, {"high", 0x7f800000}}));  // -Infinity, Infinity
  const std::vector<uint8_t> program = bytes.Finish(), weights(64 * 32 * 4);
  const Span<const uint8_t> constants[] = {{weights.data(), weights.size()}};
  const auto compiled = Program::Compile({program.data(), program.size()}, {constants, 1}, options);
  EXPECT_TRUE(compiled.ok()) << compiled.status().message();
  return compiled.ok() ? compiled.value()->calls()[0].prepared->row : "";
}

TEST(Dispatch, TheForcedLevelIsInForce) {
  const struct {
    Isa isa;
    const char* part;
  } expected[] = {{Isa::kScalar, "_scalar"}, {Isa::kAvx2, "_avx2"}, {Isa::kAvx512, "_avx512"}};
  for (const auto& [isa, part] : expected) {
    if (isa > DetectIsa()) continue;
    CompileOptions options;
    options.isa = isa;
    const std::string row = MatmulRow(options);
    EXPECT_NE(row.find(part), std::string::npos) << IsaName(isa) << " chose " << row;
  }
}

TEST(Dispatch, ALevelAboveTheMachineIsLowered) {
  CompileOptions options;
  options.isa = Isa::kAmx;
  const std::string best = MatmulRow(options);
  options.isa = DetectIsa();
  EXPECT_EQ(MatmulRow(options), best);
}

}  // namespace
}  // namespace lowp
