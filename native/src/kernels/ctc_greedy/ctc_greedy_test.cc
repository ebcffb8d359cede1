// Tests of `ctc_greedy`: labels by hand, both ways to say how long a sequence is, lengths and calls that are refused.
#include "kernels/ctc_greedy/ctc_greedy.h"

#include <cmath>

#include "kernel_harness.h"

namespace lowp::test {
namespace {

// One row of three scores for each step; class 2 is the blank.
constexpr float kA[] = {1, 0, 0}, kB[] = {0, 1, 0}, kBlank[] = {0, 0, 1};

std::vector<float> Steps(const std::vector<const float*>& rows) {
  std::vector<float> out;
  for (const float* row : rows) out.insert(out.end(), row, row + 3);
  return out;
}

TEST(CtcGreedy, MergesRepetitionsUnlessABlankIsBetween) {
  const Buffer scores = Buffer::F32(Steps({kA, kA, kBlank, kA, kB, kB}));
  const Buffer lengths = Buffer::Of<int32_t>(ElementType::kI32, {6});
  const auto labels = [&](uint32_t merge, int32_t blank) {
    const CtcGreedyParams p{1, 6, 3, 3, 18, blank, merge, 0};
    Buffer out(ElementType::kI64, 6), counts(ElementType::kI64, 1);
    RunCall({&kernel_ctc_greedy, &p, {&scores, &lengths}, {}, {&out, &counts}}, Isa::kScalar);
    std::vector<int64_t> listed = out.to_vector<int64_t>();
    for (size_t i = 0; i < 6; i++) EXPECT_EQ(listed[i] < 0, static_cast<int64_t>(i) >= counts.as<int64_t>()[0]);
    listed.resize(static_cast<size_t>(counts.as<int64_t>()[0]));
    return listed;
  };
  EXPECT_EQ(labels(1, 2), (std::vector<int64_t>{0, 0, 1}));
  EXPECT_EQ(labels(0, 2), (std::vector<int64_t>{0, 0, 0, 1, 1}));
  EXPECT_EQ(labels(1, -1), (std::vector<int64_t>{0, 2, 0, 1}));
}

// Two sequences side by side: [step, sequence, class].
TEST(CtcGreedy, EndsASequenceAtTheFirstZeroOfItsMask) {
  const CtcGreedyParams p{2, 3, 3, 6, 3, 2, 1, 1};
  const Buffer scores = Buffer::F32(Steps({kA, kB, kB, kA, kA, kB}));
  const Buffer mask = Buffer::F32({1, 0.5f, 1, NAN, 0, 1});
  Buffer out(ElementType::kF32, 6);
  RunCall({&kernel_ctc_greedy, &p, {&scores, &mask}, {}, {&out}}, Isa::kScalar);
  EXPECT_EQ(out.to_vector<float>(), (std::vector<float>{0, 1, -1, 1, 0, 1}));
}

TEST(CtcGreedy, TakesTheFirstOfEqualScoresAndNaNOnlyInFront) {
  const CtcGreedyParams p{1, 4, 3, 3, 12, 2, 0, 0};
  const Buffer scores = Buffer::F32({5, 5, 1, 0, NAN, 0, NAN, 9, 9, -INFINITY, 2, NAN});
  const Buffer lengths = Buffer::Of<int64_t>(ElementType::kI64, {4});
  Buffer out(ElementType::kI32, 4);
  RunCall({&kernel_ctc_greedy, &p, {&scores, &lengths}, {}, {&out}}, Isa::kScalar);
  EXPECT_EQ(out.to_vector<int32_t>(), (std::vector<int32_t>{0, 0, 0, 1}));
}

TEST(CtcGreedy, ReportsALengthThatIsNone) {
  const CtcGreedyParams p{3, 1, 3, 3, 3, 2, 1, 0};
  const Buffer scores = Buffer::F32(Steps({kA, kA, kA}));
  const Buffer lengths = Buffer::Of<int32_t>(ElementType::kI32, {1, 2, -1});
  Buffer out(ElementType::kI32, 3);
  std::string fault;
  RunCall({&kernel_ctc_greedy, &p, {&scores, &lengths}, {}, {&out}}, Isa::kScalar, 1, nullptr, &fault);
  EXPECT_EQ(fault, "sequence 1 has the length 2, expected 0 to 1");
  EXPECT_EQ(out.to_vector<int32_t>(), (std::vector<int32_t>{0, -1, -1}));
}

TEST(CtcGreedy, RefusesBadCalls) {
  const Buffer scores(ElementType::kF32, 24), lengths(ElementType::kI32, 2), labels(ElementType::kI32, 8);
  const Buffer counts(ElementType::kI32, 2);
  const auto refuses = [](const CtcGreedyParams& p, const Buffer& x, const Buffer& l, const Buffer& y,
                          const Buffer& c) {
    return !ValidateOnly({&kernel_ctc_greedy, &p, {&x, &l}, {}, {&y, &c}}).ok();
  };
  const CtcGreedyParams good{2, 4, 3, 3, 12, 2, 1, 0};
  ASSERT_FALSE(refuses(good, scores, lengths, labels, counts));
  EXPECT_TRUE(refuses(good, Buffer(ElementType::kF32, 23), lengths, labels, counts));
  EXPECT_TRUE(refuses(good, Buffer(ElementType::kI32, 24), lengths, labels, counts));
  EXPECT_TRUE(refuses(good, scores, Buffer(ElementType::kI32, 3), labels, counts));
  EXPECT_TRUE(refuses(good, scores, lengths, Buffer(ElementType::kI32, 7), counts));
  EXPECT_TRUE(refuses(good, scores, lengths, Buffer(ElementType::kU8, 8), counts));
  EXPECT_TRUE(refuses(good, scores, lengths, labels, Buffer(ElementType::kF32, 2)));
  EXPECT_TRUE(refuses({2, 4, 3, 3, 13, 2, 1, 0}, scores, lengths, labels, counts));
  EXPECT_TRUE(refuses({2, 4, 3, 3, 12, 2, 2, 0}, scores, lengths, labels, counts));
  EXPECT_TRUE(refuses({2, 4, 3, 3, 12, 2, 1, 1}, scores, lengths, labels, counts));
  EXPECT_TRUE(refuses({0, 4, 3, 3, 12, 2, 1, 0}, scores, lengths, labels, counts));
  EXPECT_TRUE(refuses({2, 4, UINT32_MAX, UINT32_MAX, UINT32_MAX, 2, 1, 0}, scores, lengths, labels, counts));
}

}  // namespace
}  // namespace lowp::test
