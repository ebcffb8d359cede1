// Calls that follow their producer: which do, that nothing but the time of tiles changes, and that memory stays apart.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "cpu/cache.h"
#include "kernels/convolution/convolution.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/observe/observe.h"
#include "kernels/observe/observe_clamp.h"
#include "kernels/observe/observe_histogram.h"
#include "kernels/pool/pool.h"
#include "kernels/winograd_convolution/winograd_convolution.h"
#include "program/lifetimes.h"
#include "program/program.h"
#include "program_bytes.h"
#include "runtime/session.h"

namespace lowp {
namespace {

using test::ProgramBytes;

template <class P>
std::vector<uint32_t> Words(const P& params) {
  std::vector<uint32_t> words(sizeof(P) / 4);
  std::memcpy(words.data(), &params, sizeof(P));
  return words;
}

constexpr uint32_t kBatch = 2, kSide = 96, kIn = 8, kOut = 80, kPixels = kBatch * kSide * kSide;

// A consumer of the convolution's result, which it adds to the program with its outputs; how many elements those have.
using Consumer = size_t (*)(ProgramBytes& program, uint32_t value);

// Adds a convolution of x to the program.
using Producer = void (*)(ProgramBytes& program, uint32_t x, uint32_t weights, uint32_t value);

// The sizes that both kinds have.
template <class P>
P ConvolutionOf() {
  P p{};
  p.batch = kBatch;
  p.in_h = p.in_w = p.out_h = p.out_w = kSide;
  p.in_c = p.in_stride = kIn;
  p.out_c = p.out_stride = kOut;
  p.pad_top = p.pad_left = 1;
  p.low = -INFINITY;
  p.high = INFINITY;
  return p;
}

void Plain(ProgramBytes& program, uint32_t x, uint32_t weights, uint32_t value) {
  ConvolutionParams p = ConvolutionOf<ConvolutionParams>();
  p.kernel_h = p.kernel_w = 3;
  p.in_d = p.out_d = p.kernel_d = p.stride_d = p.dilation_d = 1;
  p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = p.groups = 1;
  program.Call("convolution", "conv", {x, weights}, {value}, Words(p));
}

void Winograd(ProgramBytes& program, uint32_t x, uint32_t weights, uint32_t value) {
  program.Call("winograd_convolution", "conv", {x, weights}, {value}, Words(ConvolutionOf<WinogradConvolutionParams>()));
}

// A convolution, then a consumer; `apart` puts a call in between, so that nothing follows.
std::vector<uint8_t> Produced(Producer producer, Consumer consumer, bool apart, size_t* elements) {
  ProgramBytes program;
  const uint32_t x = program.Port(BufferKind::kInput, "x", ElementType::kF32, {kBatch, kSide, kSide, kIn});
  const uint32_t weights = program.Constant(ElementType::kF32, kOut * kIn * 9, 0);
  const uint32_t value = program.Temporary(ElementType::kF32, kPixels * kOut);
  producer(program, x, weights, value);
  if (apart) program.Fill(program.Temporary(ElementType::kF32, 3), 3, 0);
  *elements = consumer(program, value);
  return program.Finish();
}

size_t ObservedClamp(ProgramBytes& program, uint32_t value) {
  const uint32_t y = program.Port(BufferKind::kOutput, "y", ElementType::kF32, {kBatch, kSide, kSide, kOut});
  const uint32_t before = program.Port(BufferKind::kOutput, "before", ElementType::kF32, {5, kOut});
  const uint32_t after = program.Port(BufferKind::kOutput, "after", ElementType::kF32, {5, kOut});
  program.Call("observe_clamp", "relu", {value}, {y, before, after},
               Words(ObserveClampParams{kPixels, kOut, 1, 1, 0, INFINITY, 1}));
  return kPixels * kOut + 10 * kOut;
}

// Both read what the convolution stores and nothing else.
size_t TwoObservers(ProgramBytes& program, uint32_t value) {
  const uint32_t counts = program.Port(BufferKind::kOutput, "counts", ElementType::kI64, {1, 4096});
  const uint32_t statistics = program.Port(BufferKind::kOutput, "statistics", ElementType::kF32, {5, kOut});
  program.Call("observe_histogram", "counts", {value}, {counts}, Words(ObserveHistogramParams{1, kPixels, kOut, 0, 0}));
  program.Call("observe", "statistics", {value}, {statistics}, Words(ObserveParams{kPixels, kOut, 1, 1, 1, 1, 0, 0}));
  return 2 * 4096 + 5 * kOut;
}

size_t DepthwiseStride2(ProgramBytes& program, uint32_t value) {
  constexpr uint32_t side = kSide / 2;
  const uint32_t y = program.Port(BufferKind::kOutput, "y", ElementType::kF32, {kBatch, side, side, kOut});
  const uint32_t weights = program.Constant(ElementType::kF32, kOut * 9, 1);
  DepthwiseParams p{};
  p.batch = kBatch;
  p.in_h = p.in_w = kSide;
  p.out_h = p.out_w = side;
  p.in_c = p.in_stride = p.out_c = p.out_stride = p.groups = kOut;
  p.kernel_h = p.kernel_w = 3;
  p.stride_h = p.stride_w = 2;
  p.dilation_h = p.dilation_w = 1;
  p.pad_top = p.pad_left = 1;
  p.low = -INFINITY;
  p.high = INFINITY;
  program.Call("depthwise", "dw", {value, weights}, {y}, Words(p));
  return kBatch * side * side * kOut;
}

size_t MaxPool3(ProgramBytes& program, uint32_t value) {
  const uint32_t y = program.Port(BufferKind::kOutput, "y", ElementType::kF32, {kBatch, kSide, kSide, kOut});
  PoolParams p{};
  p.batch = kBatch;
  p.in_d = p.out_d = p.kernel_d = p.stride_d = p.dilation_d = 1;
  p.in_h = p.in_w = p.out_h = p.out_w = kSide;
  p.channels = p.in_stride = p.out_stride = kOut;
  p.kernel_h = p.kernel_w = 3;
  p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = 1;
  p.pad_top = p.pad_left = p.pad_bottom = p.pad_right = 1;
  program.Call("pool", "pool", {value}, {y}, Words(p));
  return kPixels * kOut;
}

std::vector<float> ResultsOf(Producer producer, Consumer consumer, bool apart, size_t threads, bool* follows) {
  size_t elements = 0;
  const std::vector<uint8_t> bytes = Produced(producer, consumer, apart, &elements);
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  std::vector<float> weights(kOut * kIn * 9), x(kPixels * kIn);
  for (float& w : weights) w = normal(random);
  for (float& v : x) v = normal(random);
  const uint8_t* data = reinterpret_cast<const uint8_t*>(weights.data());
  const Span<const uint8_t> constants[] = {{data, weights.size() * 4}, {data, kOut * 9 * 4}};
  CompileOptions options;
  options.isa = ActiveIsa();
  options.threads = threads;
  auto program = Program::Compile({bytes.data(), bytes.size()}, {constants, 2}, options);
  EXPECT_TRUE(program.ok()) << program.status().message();
  if (!program.ok()) return {};
  const size_t behind = program.value()->calls().back().follows;
  *follows = behind > 0;
  EXPECT_EQ(behind, *follows && consumer == TwoObservers ? 2u : *follows ? 1u : 0u);
  auto session = Session::Create(program.value(), threads);
  EXPECT_TRUE(session.ok());
  std::vector<float> results(elements);
  for (int round = 0; round < 2; round++) {
    std::fill(results.begin(), results.end(), -7.0f);
    const void* inputs[] = {x.data()};
    std::vector<void*> outputs;
    size_t first = 0;
    for (const Port& port : program.value()->outputs()) {
      outputs.push_back(results.data() + first);
      first += port.bytes / sizeof(float);
    }
    EXPECT_EQ(first, elements);
    EXPECT_TRUE(session.value()->Run(inputs, outputs.data()).ok());
  }
  return results;
}

// Observers follow always, others what does not stay in the caches.
TEST(Follow, GivesTheSameBitsAsOneCallAfterTheOther) {
  const bool large = size_t{kPixels} * kOut * sizeof(float) / 7 > DetectCaches().l2_bytes / 2;
  for (const Producer producer : {Plain, Winograd}) {
    for (const Consumer consumer : {ObservedClamp, TwoObservers, DepthwiseStride2, MaxPool3}) {
      bool follows = true;
      const std::vector<float> expected = ResultsOf(producer, consumer, true, 1, &follows);
      EXPECT_FALSE(follows);
      for (size_t threads : {1u, 7u}) {
        const std::vector<float> found = ResultsOf(producer, consumer, false, threads, &follows);
        EXPECT_TRUE(follows || (!large && consumer != ObservedClamp && consumer != TwoObservers));
        ASSERT_EQ(found, expected) << threads << " threads";
      }
    }
  }
}

TEST(Follow, WhatAFollowerWritesLivesFromTheCallBefore) {
  DecodedProgram program;
  program.buffers.resize(4);
  for (BufferInfo& buffer : program.buffers) {
    buffer.kind = BufferKind::kTemporary;
    buffer.bytes = 100;
    buffer.elements = 25;
  }
  program.calls.resize(3);
  program.calls[0].outputs = {0};
  program.calls[1].inputs = {0};
  program.calls[1].outputs = {1};
  program.calls[2].inputs = {1};
  program.calls[2].outputs = {2};
  const auto first = [&](size_t follows) {
    const Lifetimes l = ComputeLifetimes(program, {{0, -1, 0}, {0, -1, 0}, {64, -1, follows}});
    EXPECT_EQ(l.blocks[l.block_of_buffer[2]].first, l.blocks[l.block_of_call[2]].first);
    return l.blocks[l.block_of_buffer[2]].first;
  };
  EXPECT_EQ(first(0), 3u);
  EXPECT_EQ(first(1), 2u);
  EXPECT_EQ(first(2), 1u);
}

}  // namespace
}  // namespace lowp
