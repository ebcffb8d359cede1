// Programs from bytes: what decodes, what is refused, that damaged bytes never crash, and that sessions run them.
#include "program/program.h"

#include <gtest/gtest.h>

#include <random>

#include "base/shared_array.h"
#include "page_end.h"
#include "program_bytes.h"
#include "runtime/session.h"

namespace lowp {
namespace {

using test::ProgramBytes;
using Bytes = std::vector<uint8_t>;

CompileOptions Options() {
  CompileOptions options;
  options.isa = ActiveIsa();
  options.threads = 2;
  return options;
}

Result<std::shared_ptr<const Program>> Compile(const Bytes& bytes, const std::vector<Bytes>& constants = {}) {
  std::vector<Span<const uint8_t>> spans;
  for (const Bytes& constant : constants) spans.push_back({constant.data(), constant.size()});
  return Program::Compile({bytes.data(), bytes.size()}, {spans.data(), spans.size()}, Options());
}

// y = fill(1.5), z = convert(x) from u8 to f32 with x an input.
Bytes TwoOutputs() {
  ProgramBytes program;
  const uint32_t x = program.Port(BufferKind::kInput, "x", ElementType::kU8, {2, 50});
  const uint32_t y = program.Port(BufferKind::kOutput, "y", ElementType::kF32, {7});
  const uint32_t z = program.Port(BufferKind::kOutput, "z", ElementType::kF32, {2, 50});
  const uint32_t unused = program.Temporary(ElementType::kF32, 9);
  program.Fill(y, 7, 1.5f);
  program.Fill(unused, 9, 2);
  program.Call("convert", "to float", {x}, {z}, {100});
  return program.Finish();
}

TEST(Program, DescribesItsPorts) {
  auto program = Compile(TwoOutputs());
  ASSERT_TRUE(program.ok()) << program.status().message();
  ASSERT_EQ(program.value()->inputs().size(), 1u);
  ASSERT_EQ(program.value()->outputs().size(), 2u);
  EXPECT_EQ(program.value()->inputs()[0].name, "x");
  EXPECT_EQ(program.value()->inputs()[0].shape, (std::vector<uint32_t>{2, 50}));
  EXPECT_EQ(program.value()->outputs()[1].bytes, 400u);
  EXPECT_EQ(program.value()->calls()[2].name, "to float");
}

TEST(Program, RunsAsOftenAsWanted) {
  auto program = Compile(TwoOutputs());
  ASSERT_TRUE(program.ok()) << program.status().message();
  auto session = Session::Create(program.value(), 3);
  ASSERT_TRUE(session.ok());
  for (int round = 0; round < 3; round++) {
    Bytes x(101);
    for (size_t i = 0; i < 100; i++) x[i + 1] = static_cast<uint8_t>(i + static_cast<size_t>(round));
    std::vector<float> y(7), z(100);
    const void* inputs[] = {x.data() + 1};
    void* outputs[] = {y.data(), z.data()};
    ASSERT_TRUE(session.value()->Run(inputs, outputs).ok());
    EXPECT_EQ(y, std::vector<float>(7, 1.5f));
    for (size_t i = 0; i < 100; i++) ASSERT_EQ(z[i], static_cast<float>(x[i + 1]));
  }
}

struct Ended {
  std::mutex mutex;
  std::condition_variable changed;
  int count = 0;
  Code code = Code::kInternal;

  static void Done(void* context, const Status& status) {
    Ended& ended = *static_cast<Ended*>(context);
    const std::lock_guard<std::mutex> lock(ended.mutex);
    ended.count++;
    ended.code = status.code();
    ended.changed.notify_one();
  }
  void Wait() {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [this] { return count > 0; });
  }
};

// A conversion of x to whole numbers, of those to y, and of y or of those to z.
Bytes Opened(bool y_is_read) {
  ProgramBytes program;
  const uint32_t x = program.Port(BufferKind::kInput, "x", ElementType::kU8, {100});
  const uint32_t y = program.Port(BufferKind::kOutput, "y", ElementType::kF32, {100});
  const uint32_t z = program.Port(BufferKind::kOutput, "z", ElementType::kF32, {100});
  const uint32_t opened = program.Temporary(ElementType::kF32, 100);
  program.Call("convert", "opening", {x}, {opened}, {100});
  program.Call("convert", "to y", {opened}, {y}, {100});
  program.Call("convert", "to z", {y_is_read ? y : opened}, {z}, {100});
  return program.Finish();
}

TEST(Program, OpeningCallsReadInputsAndOthersWriteOutputsWhereTheyAre) {
  for (const bool y_is_read : {false, true}) {
    auto program = Compile(Opened(y_is_read));
    ASSERT_TRUE(program.ok()) << program.status().message();
    EXPECT_EQ(program.value()->opening_calls(), 1u);
    EXPECT_EQ(program.value()->inputs()[0].operands.size(), 1u);
    EXPECT_EQ(program.value()->outputs()[0].operands.size(), y_is_read ? 0u : 1u);
    EXPECT_EQ(program.value()->outputs()[1].operands.size(), 1u);
    auto session = Session::Create(program.value(), 2);
    ASSERT_TRUE(session.ok());
    for (const size_t shift : {0, 1, 4}) {  // of addresses: what is not aligned to 8 bytes is copied
      Bytes x(100), y(404), z(404);
      for (size_t i = 0; i < 100; i++) x[i] = static_cast<uint8_t>(2 * i + shift);
      const test::PageEnd input(x.data(), 100);
      const void* inputs[] = {input.data()};
      void* outputs[] = {y.data() + shift, z.data() + shift};
      ASSERT_TRUE(session.value()->Run(inputs, outputs).ok());
      for (size_t i = 0; i < 100; i++) {
        float at_y = 0, at_z = 0;
        std::memcpy(&at_y, y.data() + shift + 4 * i, 4);
        std::memcpy(&at_z, z.data() + shift + 4 * i, 4);
        ASSERT_EQ(at_y, static_cast<float>(x[i]));
        ASSERT_EQ(at_z, static_cast<float>(x[i]));
      }
    }
  }
}

TEST(Program, OutputsMayBeWhereInputsWere) {
  auto program = Compile(Opened(false));
  ASSERT_TRUE(program.ok());
  auto session = Session::Create(program.value(), 2);
  ASSERT_TRUE(session.ok());
  std::vector<float> memory(100), z(100);
  for (size_t i = 0; i < 100; i++) reinterpret_cast<uint8_t*>(memory.data())[i] = static_cast<uint8_t>(i);
  const void* inputs[] = {memory.data()};
  void* outputs[] = {memory.data(), z.data()};
  ASSERT_TRUE(session.value()->Run(inputs, outputs).ok());
  for (size_t i = 0; i < 100; i++) ASSERT_EQ(memory[i], static_cast<float>(i));
}

TEST(Program, AsynchronousRunsWriteOutputsOfTheirCaller) {
  auto program = Compile(Opened(true));
  ASSERT_TRUE(program.ok());
  auto session = Session::Create(program.value(), 2);
  ASSERT_TRUE(session.ok());
  for (const bool given : {true, false}) {
    Bytes x(100, 7);
    std::vector<float> y(100), z(100);
    const void* inputs[] = {x.data()};
    void* outputs[] = {y.data(), z.data()};
    Ended ended;
    ASSERT_TRUE(session.value()->Reserve().ok());
    ASSERT_TRUE(session.value()->StartReserved(inputs, given ? outputs : nullptr, {Ended::Done, &ended}).ok());
    x.assign(100, 9);  // no longer read
    ended.Wait();
    EXPECT_EQ(z, std::vector<float>(100, given ? 7.0f : 0.0f));
    session.value()->TakeOutputs(outputs);
    EXPECT_EQ(y, std::vector<float>(100, 7.0f));
    EXPECT_EQ(z, std::vector<float>(100, 7.0f));
  }
}

TEST(Program, SessionsRefuseRunsWhileBusyAndAfterTheyWereClosed) {
  auto program = Compile(TwoOutputs());
  ASSERT_TRUE(program.ok());
  auto created = Session::Create(program.value(), 1);
  ASSERT_TRUE(created.ok());
  Session& session = *created.value();
  const Bytes x(100);
  std::vector<float> y(7), z(100);
  const void* inputs[] = {x.data()};
  void* outputs[] = {y.data(), z.data()};
  ASSERT_TRUE(session.Reserve().ok());
  EXPECT_EQ(session.Run(inputs, outputs).code(), Code::kInvalid);
  EXPECT_EQ(session.Reserve().code(), Code::kInvalid);
  session.TakeOutputs(nullptr);
  EXPECT_TRUE(session.Run(inputs, outputs).ok());
  session.Close();
  EXPECT_EQ(session.Run(inputs, outputs).code(), Code::kClosed);
}

TEST(Program, CancelEndsAnAsynchronousRun) {
  ProgramBytes bytes;
  constexpr uint32_t kElements = 1 << 20;
  const uint32_t y = bytes.Port(BufferKind::kOutput, "y", ElementType::kF32, {kElements});
  for (int i = 0; i < 2000; i++) bytes.Fill(y, kElements, 1);
  auto program = Compile(bytes.Finish());
  ASSERT_TRUE(program.ok());
  auto session = Session::Create(program.value(), 2);
  ASSERT_TRUE(session.ok());
  Ended ended;
  ASSERT_TRUE(session.value()->Reserve().ok());
  ASSERT_TRUE(session.value()->StartReserved(nullptr, nullptr, {Ended::Done, &ended}).ok());
  session.value()->Cancel();
  ended.Wait();
  EXPECT_EQ(ended.code, Code::kAborted);
  session.value()->TakeOutputs(nullptr);
}

TEST(Program, KeepsConstantsThatAreReadAtRunTime) {
  ProgramBytes bytes;
  const uint32_t c = bytes.Constant(ElementType::kU8, 5, 0);
  const uint32_t y = bytes.Port(BufferKind::kOutput, "y", ElementType::kF32, {5});
  bytes.Call("convert", "c", {c}, {y}, {5});
  std::vector<Bytes> constants = {{1, 2, 3, 4, 5}};
  auto program = Compile(bytes.Finish(), constants);
  ASSERT_TRUE(program.ok()) << program.status().message();
  EXPECT_EQ(program.value()->constant_bytes(), 5u);
  constants[0].assign(5, 9);
  auto session = Session::Create(program.value(), 1);
  ASSERT_TRUE(session.ok());
  std::vector<float> result(5);
  void* outputs[] = {result.data()};
  ASSERT_TRUE(session.value()->Run(nullptr, outputs).ok());
  EXPECT_EQ(result, (std::vector<float>{1, 2, 3, 4, 5}));
}

// x [m, 64] · w [64, 64] of f32.
Result<std::shared_ptr<const Program>> CompileProduct(uint32_t m, const Bytes& weights) {
  ProgramBytes bytes;
  const uint32_t x = bytes.Port(BufferKind::kInput, "x", ElementType::kF32, {m, 64});
  const uint32_t w = bytes.Constant(ElementType::kF32, 64 * 64, 0);
  const uint32_t y = bytes.Port(BufferKind::kOutput, "y", ElementType::kF32, {m, 64});
  bytes.Call("matmul", "product", {x, w, kNoIndex, kNoIndex, kNoIndex, kNoIndex}, {y},
             test::ParamsOf("matmul", {{"m", m}, {"k", 64}, {"n", 64}, {"in_stride", 64}, {"out_stride", 64},
                                       {"low", 0xff800000}, {"high", 0x7f800000}}));  // -Infinity, Infinity
  return Compile(bytes.Finish(), {weights});
}

TEST(Program, SharesPackedWeightsWithProgramsOfOtherShapes) {
  const SharedTotals before = CountShared();
  Bytes weights(64 * 64 * 4, 1);
  auto first = CompileProduct(16, weights);
  ASSERT_TRUE(first.ok()) << first.status().message();
  EXPECT_EQ(first.value()->found_bytes(), 0u);
  const SharedTotals alone = CountShared();
  EXPECT_GE(alone.bytes, before.bytes + weights.size());
  auto second = CompileProduct(48, weights);
  ASSERT_TRUE(second.ok());
  EXPECT_GE(second.value()->found_bytes(), weights.size());
  EXPECT_EQ(CountShared().bytes, alone.bytes);
  weights[5000] = 2;
  auto other = CompileProduct(16, weights);
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(other.value()->found_bytes(), 0u);
  first = second = other = Result<std::shared_ptr<const Program>>(std::shared_ptr<const Program>());
  EXPECT_EQ(CountShared().bytes, before.bytes);
}

TEST(Program, SharesConstantsThatAreReadAtRunTime) {
  constexpr uint32_t kElements = 10000;
  ProgramBytes bytes;
  const uint32_t c = bytes.Constant(ElementType::kU8, kElements, 0);
  const uint32_t y = bytes.Port(BufferKind::kOutput, "y", ElementType::kF32, {kElements});
  bytes.Call("convert", "c", {c}, {y}, {kElements});
  const std::vector<Bytes> constants = {Bytes(kElements, 7)};
  auto first = Compile(bytes.Finish(), constants), second = Compile(bytes.Finish(), constants);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first.value()->found_bytes(), 0u);
  EXPECT_EQ(second.value()->found_bytes(), kElements);
}

void ExpectRefused(const ProgramBytes& program, Code code, const char* part, const std::vector<Bytes>& constants = {}) {
  const Status status = Compile(program.Finish(), constants).status();
  EXPECT_EQ(status.code(), code) << status.message();
  EXPECT_NE(status.message().find(part), std::string::npos) << status.message();
}

TEST(Program, RefusesAReadBeforeAWrite) {
  ProgramBytes program;
  const uint32_t t = program.Temporary(ElementType::kU8, 3);
  const uint32_t y = program.Port(BufferKind::kOutput, "y", ElementType::kF32, {3});
  program.Call("convert", "early", {t}, {y}, {3});
  ExpectRefused(program, Code::kInvalid, "read before");
}

TEST(Program, RefusesAnOutputThatIsNeverWritten) {
  ProgramBytes program;
  program.Port(BufferKind::kOutput, "lonely", ElementType::kF32, {3});
  ExpectRefused(program, Code::kInvalid, "lonely");
}

TEST(Program, RefusesWritesToInputsAndConstants) {
  ProgramBytes input;
  input.Fill(input.Port(BufferKind::kInput, "x", ElementType::kF32, {3}), 3, 1);
  ExpectRefused(input, Code::kInvalid, "cannot be written");
  ProgramBytes constant;
  constant.Fill(constant.Constant(ElementType::kF32, 3, 0), 3, 1);
  ExpectRefused(constant, Code::kInvalid, "cannot be written", {Bytes(12)});
}

TEST(Program, RefusesAConstantOfAnotherSize) {
  ProgramBytes program;
  program.Constant(ElementType::kF32, 3, 0);
  ExpectRefused(program, Code::kInvalid, "11 bytes, expected 12", {Bytes(11)});
  ExpectRefused(program, Code::kInvalid, "no constant 0");
}

TEST(Program, RefusesUnknownKernelsAndParamsOfAnotherLength) {
  ProgramBytes unknown;
  unknown.Call("no_such_kernel", "n", {}, {}, {});
  ExpectRefused(unknown, Code::kUnsupported, "no_such_kernel");
  ProgramBytes params;
  params.Call("fill", "n", {}, {params.Temporary(ElementType::kF32, 3)}, {3});
  ExpectRefused(params, Code::kInvalid, "expects 8");
}

TEST(Program, RefusesABufferNamedTwiceByOneCall) {
  ProgramBytes program;
  const uint32_t t = program.Temporary(ElementType::kF32, 3);
  program.Fill(t, 3, 0);
  program.Call("convert", "self", {t}, {t}, {3});
  ExpectRefused(program, Code::kInvalid, "second time");
}

// Compiles, and runs what still compiles and is small.
void CompileAndRun(const Bytes& bytes) {
  auto program = Compile(bytes, {{1, 2, 3, 4, 5, 6, 7, 8}});
  if (!program.ok() || program.value()->arena_bytes() > (1 << 20)) return;
  auto session = Session::Create(program.value(), 1);
  if (!session.ok()) return;
  std::vector<Bytes> memory;
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
  for (const Port& port : program.value()->inputs()) memory.emplace_back(port.bytes);
  for (const Port& port : program.value()->outputs()) memory.emplace_back(port.bytes);
  for (size_t i = 0; i < memory.size(); i++)
    i < program.value()->inputs().size() ? inputs.push_back(memory[i].data()) : outputs.push_back(memory[i].data());
  EXPECT_TRUE(session.value()->Run(inputs.data(), outputs.data()).ok());
}

TEST(Program, NoDamageOfTheBytesCrashes) {
  const Bytes good = TwoOutputs();
  for (size_t length = 0; length < good.size(); length++) {
    const Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_FALSE(Compile(cut).ok());
  }
  constexpr uint32_t kValues[] = {0, 1, 2, 3, 4, 7, 100, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
  for (size_t word = 0; word + 4 <= good.size(); word += 4) {
    for (const uint32_t value : kValues) {
      Bytes bad = good;
      std::memcpy(bad.data() + word, &value, 4);
      CompileAndRun(bad);
    }
  }
  std::mt19937 random(7);
  for (int round = 0; round < 20000; round++) {
    Bytes bad = good;
    for (unsigned i = 0; i < 1 + random() % 4; i++) bad[random() % bad.size()] = static_cast<uint8_t>(random());
    CompileAndRun(bad);
  }
}

}  // namespace
}  // namespace lowp
