// Calls that follow their producer: which do, that nothing but the time of tiles changes, and that memory stays apart.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "kernels/convolution/convolution.h"
#include "kernels/observe/observe_clamp.h"
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

constexpr uint32_t kSide = 60, kIn = 24, kOut = 40, kPixels = kSide * kSide;

// Convolution, then its observed clamp; `apart` puts a call in between, so that nothing follows.
std::vector<uint8_t> Observed(bool apart) {
  ProgramBytes program;
  const uint32_t x = program.Port(BufferKind::kInput, "x", ElementType::kF32, {1, kSide, kSide, kIn});
  const uint32_t y = program.Port(BufferKind::kOutput, "y", ElementType::kF32, {1, kSide, kSide, kOut});
  const uint32_t before = program.Port(BufferKind::kOutput, "before", ElementType::kF32, {5, kOut});
  const uint32_t after = program.Port(BufferKind::kOutput, "after", ElementType::kF32, {5, kOut});
  const uint32_t weights = program.Constant(ElementType::kF32, kOut * kIn * 9, 0);
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
  program.Call("convolution", "conv", {x, weights}, {value}, Words(conv));
  if (apart) program.Fill(program.Temporary(ElementType::kF32, 3), 3, 0);
  program.Call("observe_clamp", "relu", {value}, {y, before, after},
               Words(ObserveClampParams{kPixels, kOut, 1, 1, 0, INFINITY, 1}));
  return program.Finish();
}

std::vector<float> ResultsOf(const std::vector<uint8_t>& bytes, size_t threads, bool* follows) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  std::vector<float> weights(kOut * kIn * 9), x(kPixels * kIn);
  for (float& w : weights) w = normal(random);
  for (float& v : x) v = normal(random);
  const Span<const uint8_t> constants[] = {{reinterpret_cast<const uint8_t*>(weights.data()), weights.size() * 4}};
  CompileOptions options;
  options.isa = ActiveIsa();
  options.threads = threads;
  auto program = Program::Compile({bytes.data(), bytes.size()}, {constants, 1}, options);
  EXPECT_TRUE(program.ok()) << program.status().message();
  if (!program.ok()) return {};
  *follows = program.value()->calls().back().follows;
  auto session = Session::Create(program.value(), threads);
  EXPECT_TRUE(session.ok());
  std::vector<float> results(kPixels * kOut + 10 * kOut);
  for (int round = 0; round < 3; round++) {
    std::fill(results.begin(), results.end(), -7.0f);
    const void* inputs[] = {x.data()};
    void* outputs[] = {results.data(), results.data() + kPixels * kOut, results.data() + kPixels * kOut + 5 * kOut};
    EXPECT_TRUE(session.value()->Run(inputs, outputs).ok());
  }
  return results;
}

TEST(Follow, GivesTheSameBitsAsOneCallAfterTheOther) {
  bool follows = true;
  const std::vector<float> expected = ResultsOf(Observed(true), 1, &follows);
  EXPECT_FALSE(follows);
  for (size_t threads : {1u, 2u, 3u, 7u}) {
    const std::vector<float> found = ResultsOf(Observed(false), threads, &follows);
    EXPECT_TRUE(follows);
    ASSERT_EQ(found, expected) << threads << " threads";
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
  const auto first = [&](bool follows) {
    const Lifetimes l = ComputeLifetimes(program, {{0, -1, false}, {0, -1, false}, {64, -1, follows}});
    EXPECT_EQ(l.blocks[l.block_of_buffer[2]].first, l.blocks[l.block_of_call[2]].first);
    return l.blocks[l.block_of_buffer[2]].first;
  };
  EXPECT_EQ(first(false), 3u);
  EXPECT_EQ(first(true), 2u);
}

}  // namespace
}  // namespace lowp
