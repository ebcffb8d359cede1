// A run in the steady state allocates no memory and makes no system call.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "kernels/convolution/convolution.h"
#include "kernels/observe/observe_clamp.h"
#include "program_bytes.h"
#include "runtime/executor.h"

#if defined(__linux__) && defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define LOWP_COUNTS_ALLOCATIONS 1
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

namespace {
std::atomic<size_t> allocations{0};
}

// Every way to memory of the C library and of operator new goes through these.
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void* malloc(size_t bytes) {
  allocations++;
  return __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) {
  allocations++;
  return __libc_calloc(count, bytes);
}
void* realloc(void* old, size_t bytes) {
  allocations++;
  return __libc_realloc(old, bytes);
}
void* memalign(size_t alignment, size_t bytes) {
  allocations++;
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) { return memalign(alignment, bytes); }
int posix_memalign(void** result, size_t alignment, size_t bytes) {
  *result = memalign(alignment, bytes);
  return *result ? 0 : 12;
}
}
#endif

namespace lowp {
namespace {

#if defined(LOWP_COUNTS_ALLOCATIONS)

using test::ProgramBytes;

constexpr uint32_t kSide = 40, kIn = 16, kOut = 24, kPixels = kSide * kSide;

template <class P>
std::vector<uint32_t> Words(const P& params) {
  std::vector<uint32_t> words(sizeof(P) / 4);
  std::memcpy(words.data(), &params, sizeof(P));
  return words;
}

// A convolution with padding, its observed clamp, and a conversion.
std::unique_ptr<Executor> MakeExecutor(size_t threads) {
  ProgramBytes program;
  const uint32_t bytes = program.Port(BufferKind::kInput, "x", ElementType::kU8, {kPixels * kIn});
  const uint32_t y = program.Port(BufferKind::kOutput, "y", ElementType::kF32, {kPixels * kOut});
  const uint32_t before = program.Port(BufferKind::kOutput, "before", ElementType::kF32, {5, kOut});
  const uint32_t weights = program.Constant(ElementType::kF32, kOut * kIn * 9, 0);
  const uint32_t x = program.Temporary(ElementType::kF32, kPixels * kIn);
  const uint32_t value = program.Temporary(ElementType::kF32, kPixels * kOut);
  ConvolutionParams conv{};
  conv.batch = 1;
  conv.in_h = conv.in_w = conv.out_h = conv.out_w = kSide;
  conv.in_c = conv.in_stride = kIn;
  conv.out_c = conv.out_stride = kOut;
  conv.kernel_h = conv.kernel_w = 3;
  conv.in_d = conv.out_d = conv.kernel_d = conv.stride_d = conv.dilation_d = 1;
  conv.stride_h = conv.stride_w = conv.dilation_h = conv.dilation_w = conv.groups = 1;
  conv.pad_top = conv.pad_left = 1;
  conv.low = -INFINITY;
  conv.high = INFINITY;
  program.Call("convert", "floats", {bytes}, {x}, {kPixels * kIn});
  program.Call("convolution", "conv", {x, weights}, {value}, Words(conv));
  program.Call("observe_clamp", "relu", {value}, {y, before}, Words(ObserveClampParams{kPixels, kOut, 1, 1, 0, INFINITY, 1}));
  const std::vector<uint8_t> code = program.Finish();
  const std::vector<float> w(kOut * kIn * 9, 0.25f);
  const Span<const uint8_t> constants[] = {{reinterpret_cast<const uint8_t*>(w.data()), w.size() * 4}};
  CompileOptions options;
  options.isa = ActiveIsa();
  options.threads = threads;
  auto compiled = Program::Compile({code.data(), code.size()}, {constants, 1}, options);
  EXPECT_TRUE(compiled.ok()) << compiled.status().message();
  auto executor = Executor::Create(compiled.value(), threads);
  EXPECT_TRUE(executor.ok());
  return std::move(executor.value());
}

// Memory of a run, so that a run itself needs none.
struct RunBuffers {
  std::vector<uint8_t> x = std::vector<uint8_t>(kPixels * kIn, 3);
  std::vector<float> y = std::vector<float>(kPixels * kOut), before = std::vector<float>(5 * kOut);
  const void* inputs[1] = {x.data()};
  void* outputs[2] = {y.data(), before.data()};

  bool operator()(Executor& executor) {
    executor.TakeInputs(inputs, outputs);
    const bool ok = executor.RunCalls().ok();
    executor.CopyOutputs(outputs);
    return ok;
  }
};

TEST(SteadyState, TheCounterCounts) {
  const size_t before = allocations.load();
  delete new int(3);
  std::free(std::malloc(8));
  EXPECT_GE(allocations.load(), before + 1);
}

TEST(SteadyState, ARunAllocatesNothing) {
  for (size_t threads : {1u, 2u, 3u}) {
    const auto executor = MakeExecutor(threads);
    RunBuffers run;
    ASSERT_TRUE(run(*executor));
    for (bool profiling : {false, true}) {
      executor->SetProfiling(profiling);
      const size_t before = allocations.load();
      bool ok = true;
      for (int i = 0; i < 5; i++) ok = run(*executor) && ok;
      EXPECT_EQ(allocations.load(), before) << threads << " threads, profiling " << profiling;
      EXPECT_TRUE(ok);
    }
  }
}

// In a process that the kernel ends at the first system call other than read, write and exit.
TEST(SteadyState, ARunOnOneThreadMakesNoSystemCall) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto executor = MakeExecutor(1);
    RunBuffers run;
    bool ok = run(*executor);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) syscall(SYS_exit, 77);
    for (int i = 0; i < 3; i++) ok = run(*executor) && ok;
    syscall(SYS_exit, ok ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "this system does not allow seccomp";
  EXPECT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status) << ": a system call was made";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

#else

TEST(SteadyState, NeedsGlibcWithoutSanitizers) {
  GTEST_SKIP() << "allocations are counted in glibc without sanitizers";
}

#endif

}  // namespace
}  // namespace lowp
