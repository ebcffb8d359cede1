// An index that only running shows to be outside ends the run with its place, and the session goes on.
#include <gtest/gtest.h>

#include <cstring>

#include "kernels/gather/gather.h"
#include "program/program.h"
#include "program_bytes.h"
#include "runtime/session.h"

namespace lowp {
namespace {

using test::ProgramBytes;

constexpr uint32_t kPicks = 300000, kSize = 5;

// y = x[indices], and a second call that must not run behind a fault.
std::vector<uint8_t> PickAndFill() {
  ProgramBytes program;
  const uint32_t x = program.Port(BufferKind::kInput, "x", ElementType::kF32, {kSize});
  const uint32_t indices = program.Port(BufferKind::kInput, "indices", ElementType::kI64, {kPicks});
  const uint32_t y = program.Port(BufferKind::kOutput, "y", ElementType::kF32, {kPicks});
  GatherParams p{};
  p.rank = p.depth = p.index_stride0 = p.step0 = p.block = 1;
  p.n0 = kPicks;
  p.size0 = kSize;
  std::vector<uint32_t> words(sizeof(p) / 4);
  std::memcpy(words.data(), &p, sizeof(p));
  program.Call("gather", "pick", {x, indices}, {y}, words);
  program.Fill(program.Port(BufferKind::kOutput, "z", ElementType::kF32, {4}), 4, 3);
  return program.Finish();
}

TEST(Fault, NamesTheFirstIndexOutsideWhateverTheThreads) {
  const std::vector<uint8_t> bytes = PickAndFill();
  auto program = Program::Compile({bytes.data(), bytes.size()}, {}, CompileOptions{});
  ASSERT_TRUE(program.ok()) << program.status().message();
  const std::vector<float> x = {1, 2, 3, 4, 5};
  std::vector<float> y(kPicks), z(4);
  void* outputs[] = {y.data(), z.data()};
  for (const size_t threads : {1u, 2u, 5u}) {
    auto session = Session::Create(program.value(), threads);
    ASSERT_TRUE(session.ok());
    std::vector<int64_t> indices(kPicks, 4);
    const void* inputs[] = {x.data(), indices.data()};
    EXPECT_TRUE(session.value()->Run(inputs, outputs).ok());
    EXPECT_EQ(y[kPicks - 1], 5);
    for (uint32_t i = 150000; i < kPicks; i += 1000) indices[i] = 100 + i;
    z.assign(4, 0);
    const Status status = session.value()->Run(inputs, outputs);
    EXPECT_EQ(status.code(), Code::kIndex);
    EXPECT_EQ(status.message(), "node pick: index 150100 at position 150000 lies outside of an axis with 5 elements");
    EXPECT_EQ(z[0], 0);
    indices.assign(kPicks, -5);
    EXPECT_TRUE(session.value()->Run(inputs, outputs).ok());
    EXPECT_EQ(y[0], 1);
    EXPECT_EQ(z[0], 3);
  }
}

}  // namespace
}  // namespace lowp
