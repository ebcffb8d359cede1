// The planner: live blocks never overlap, slack included; dead memory is used again; in-place outputs share memory.
#include "program/plan_memory.h"

#include <gtest/gtest.h>

#include <random>

#include "base/aligned.h"
#include "program/lifetimes.h"

namespace lowp {
namespace {

void ExpectSound(const std::vector<Block>& blocks, const MemoryPlan& plan) {
  ASSERT_EQ(plan.offsets.size(), blocks.size());
  for (size_t i = 0; i < blocks.size(); i++) {
    EXPECT_EQ(plan.offsets[i] % 64, 0u);
    EXPECT_LE(plan.offsets[i] + blocks[i].bytes + kReadSlack, plan.arena_bytes);
    for (size_t j = 0; j < i; j++) {
      if (blocks[i].last < blocks[j].first || blocks[j].last < blocks[i].first) continue;
      const bool apart = plan.offsets[i] + blocks[i].bytes + kReadSlack <= plan.offsets[j] ||
                         plan.offsets[j] + blocks[j].bytes + kReadSlack <= plan.offsets[i];
      ASSERT_TRUE(apart) << "blocks " << j << " and " << i << " live at the same time and overlap";
    }
  }
}

TEST(PlanMemory, NeverOverlapsLiveBlocks) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; round++) {
    std::vector<Block> blocks(random() % 60);
    for (Block& block : blocks) {
      const size_t a = random() % 30, b = random() % 30;
      block = {random() % 5 == 0 ? 0 : random() % 5000, std::min(a, b), std::max(a, b)};
    }
    const auto plan = PlanMemory(blocks);
    ASSERT_TRUE(plan.ok());
    ExpectSound(blocks, plan.value());
  }
}

TEST(PlanMemory, UsesDeadMemoryAgain) {
  const std::vector<Block> chain = {{1000, 0, 1}, {1000, 1, 2}, {1000, 2, 3}, {1000, 3, 4}, {1000, 4, 5}};
  const auto plan = PlanMemory(chain);
  ASSERT_TRUE(plan.ok());
  ExpectSound(chain, plan.value());
  EXPECT_EQ(plan.value().arena_bytes, 2u * 1152u);
}

TEST(PlanMemory, TakesTheSmallestGapThatFits) {
  // At time 5 two gaps are free: 4096 bytes and 1024 bytes; the block of 800 bytes belongs into the second.
  const std::vector<Block> blocks = {{8000, 0, 9}, {3968, 0, 4}, {2000, 0, 9}, {896, 0, 4}, {1900, 0, 9}, {800, 5, 9}};
  const auto plan = PlanMemory(blocks);
  ASSERT_TRUE(plan.ok());
  ExpectSound(blocks, plan.value());
  EXPECT_EQ(plan.value().arena_bytes, 8128u + 4096u + 2176u + 1024u + 2048u);
}

TEST(PlanMemory, RefusesSizesThatOverflow) {
  EXPECT_EQ(PlanMemory({{SIZE_MAX - 10, 0, 1}}).status().code(), Code::kMemory);
  EXPECT_EQ(PlanMemory({{SIZE_MAX / 5, 0, 1}, {SIZE_MAX / 5, 0, 1}}).status().code(), Code::kMemory);
}

DecodedProgram Chain(ElementType second_type) {
  DecodedProgram program;
  const auto buffer = [](BufferKind kind, ElementType type) {
    BufferInfo info;
    info.kind = kind;
    info.type = type;
    info.elements = 100;
    info.bytes = 100 * SizeOf(type);
    return info;
  };
  program.buffers = {buffer(BufferKind::kInput, ElementType::kF32), buffer(BufferKind::kTemporary, second_type),
                     buffer(BufferKind::kOutput, ElementType::kF32)};
  program.calls.resize(2);
  program.calls[0].inputs = {0};
  program.calls[0].outputs = {1};
  program.calls[1].inputs = {1};
  program.calls[1].outputs = {2};
  return program;
}

TEST(Lifetimes, InPlaceCallsShareTheMemoryOfADyingInput) {
  const Lifetimes shared = ComputeLifetimes(Chain(ElementType::kF32), {{0, 0}, {0, 0}});
  ASSERT_EQ(shared.blocks.size(), 1u);
  EXPECT_EQ(shared.block_of_buffer, (std::vector<size_t>{0, 0, 0}));
  EXPECT_EQ(shared.blocks[0].first, 0u);
  EXPECT_EQ(shared.blocks[0].last, 3u);
}

TEST(Lifetimes, NothingIsSharedWithoutPermissionOrWithAnotherType) {
  EXPECT_EQ(ComputeLifetimes(Chain(ElementType::kF32), {{0, -1}, {0, -1}}).blocks.size(), 3u);
  EXPECT_EQ(ComputeLifetimes(Chain(ElementType::kI32), {{0, 0}, {0, 0}}).blocks.size(), 3u);
}

TEST(Lifetimes, NothingIsSharedWithAnInputThatIsReadLater) {
  DecodedProgram program = Chain(ElementType::kF32);
  program.calls[1].inputs = {1, 0};
  const Lifetimes lifetimes = ComputeLifetimes(program, {{0, 0}, {0, 0}});
  EXPECT_NE(lifetimes.block_of_buffer[0], lifetimes.block_of_buffer[1]);
  EXPECT_EQ(lifetimes.block_of_buffer[1], lifetimes.block_of_buffer[2]);
}

TEST(Lifetimes, NothingIsSharedWithAnInputThatIsReadTwiceByTheCall) {
  DecodedProgram program = Chain(ElementType::kF32);
  program.calls[1].inputs = {1, 1};
  const Lifetimes lifetimes = ComputeLifetimes(program, {{0, -1}, {0, 0}});
  EXPECT_NE(lifetimes.block_of_buffer[1], lifetimes.block_of_buffer[2]);
}

TEST(Lifetimes, ABufferWithSeveralWritersLivesFromTheFirst) {
  DecodedProgram program = Chain(ElementType::kF32);
  program.calls[0].outputs = {2};
  program.calls[1].inputs = {0};
  program.calls[1].outputs = {2};
  const Lifetimes lifetimes = ComputeLifetimes(program, {{0, -1}, {0, 0}});
  const size_t block = lifetimes.block_of_buffer[2];
  EXPECT_EQ(lifetimes.blocks[block].first, 1u);
  EXPECT_NE(block, lifetimes.block_of_buffer[0]) << "an output that was written before cannot take over memory";
  EXPECT_EQ(lifetimes.block_of_buffer[1], Lifetimes::kNoBlock);
}

TEST(Lifetimes, WhatACallAccumulatesLivesAllTheTime) {
  DecodedProgram program = Chain(ElementType::kF32);
  const Lifetimes lifetimes = ComputeLifetimes(program, {{0, 0}, {0, 0, 0, true}});
  const Block& kept = lifetimes.blocks[lifetimes.block_of_buffer[2]];
  EXPECT_EQ(kept.first, 0u);
  EXPECT_EQ(kept.last, 3u);
  EXPECT_NE(lifetimes.block_of_buffer[1], lifetimes.block_of_buffer[2]);
}

TEST(Lifetimes, SharedMemoryOfACallLivesDuringTheCall) {
  const Lifetimes lifetimes = ComputeLifetimes(Chain(ElementType::kF32), {{5000, -1}, {0, -1}});
  const size_t block = lifetimes.block_of_call[0];
  ASSERT_NE(block, Lifetimes::kNoBlock);
  EXPECT_EQ(lifetimes.blocks[block].bytes, 5000u);
  EXPECT_EQ(lifetimes.blocks[block].first, 1u);
  EXPECT_EQ(lifetimes.blocks[block].last, 1u);
  EXPECT_EQ(lifetimes.block_of_call[1], Lifetimes::kNoBlock);
}

}  // namespace
}  // namespace lowp
