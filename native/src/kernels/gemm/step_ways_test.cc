// The proof that pairs of weights are safe, and the order of a panel's steps.
#include "kernels/gemm/step_ways.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace lowp::test {
namespace {

TEST(GemmStepWays, SafePairsAreThoseWhoseExtremesFitS16) {
  for (int w0 = -128; w0 <= 127; w0++) {
    for (int w1 = -128; w1 <= 127; w1++) {
      const int most = 255 * (std::max(w0, 0) + std::max(w1, 0)), least = 255 * (std::min(w0, 0) + std::min(w1, 0));
      EXPECT_EQ(IsSafePair(w0, w1), most <= 32767 && least >= -32768) << w0 << " " << w1;
    }
  }
}

TEST(GemmStepWays, TakesTheFirstPairingThatIsSafeInEveryColumn) {
  const int8_t plain[] = {127, -128, 64, 64}, crossed[] = {127, 127, -128, -128}, nested[] = {127, 50, 50, -1};
  const int8_t wide[] = {127, 127, 127, 127};
  EXPECT_EQ(ProveStep(plain, 1), StepWay::kPlain);
  EXPECT_EQ(ProveStep(crossed, 1), StepWay::kCrossed);
  EXPECT_EQ(ProveStep(nested, 1), StepWay::kNested);
  EXPECT_EQ(ProveStep(wide, 1), StepWay::kWide);
  int8_t columns[16 * 4] = {};
  std::copy(crossed, crossed + 4, columns + 15 * 4);
  EXPECT_EQ(ProveStep(columns, 15), StepWay::kPlain);
  EXPECT_EQ(ProveStep(columns, 16), StepWay::kCrossed);
  std::copy(nested, nested + 4, columns);
  EXPECT_EQ(ProveStep(columns, 16), StepWay::kNested);
  std::copy(wide, wide + 4, columns + 4);
  EXPECT_EQ(ProveStep(columns, 16), StepWay::kWide);
}

// The weight of an element in a packed step, by the layouts of row.h.
int8_t WeightIn(const uint8_t* step, StepWay way, size_t lanes, size_t column, size_t element) {
  const uint8_t* vector = step + column / lanes * lanes * 4;
  const size_t lane = column % lanes;
  if (way == StepWay::kWide) return static_cast<int8_t>(vector[element % 2 * lanes * 2 + lane * 2 + element / 2]);
  for (size_t place = 0; place < 4; place++)
    if (kStepOrder[static_cast<size_t>(way)][place] == element) return static_cast<int8_t>(vector[lane * 4 + place]);
  return 0;
}

TEST(GemmStepWays, EveryStepIsKeptOnceWithItsWeightsAndOffset) {
  std::mt19937 random(7);
  for (size_t lanes : {8, 16}) {
    for (size_t vectors : {1, 2, 5}) {
      const size_t columns = lanes * vectors, steps = 200;
      std::vector<int8_t> quads(steps * columns * 4);
      const int sizes[] = {40, 80, 100, 127};
      for (size_t i = 0; i < quads.size(); i++) {
        const int size = sizes[i / (columns * 4) % 4];
        quads[i] = static_cast<int8_t>(static_cast<int>(random() % (2 * size + 1)) - size);
      }
      std::vector<int64_t> offsets(steps), sorted(steps);
      for (size_t s = 0; s < steps; s++) offsets[s] = static_cast<int64_t>(s) * 12 - 40;
      std::vector<uint8_t> packed(quads.size());
      uint64_t counts[kStepWays];
      SortSteps({quads.data(), steps, columns, lanes, offsets.data()}, packed.data(), sorted.data(), counts);
      size_t place = 0;
      for (size_t way = 0; way < kStepWays; way++) {
        for (uint64_t i = 0; i < counts[way]; i++, place++) {
          const size_t step = static_cast<size_t>((sorted[place] + 40) / 12);
          const int8_t* from = quads.data() + step * columns * 4;
          ASSERT_EQ(ProveStep(from, columns), static_cast<StepWay>(way));
          for (size_t c = 0; c < columns; c++)
            for (size_t e = 0; e < 4; e++)
              ASSERT_EQ(WeightIn(packed.data() + place * columns * 4, static_cast<StepWay>(way), lanes, c, e),
                        from[c * 4 + e]);
        }
      }
      ASSERT_EQ(place, steps);
      std::sort(sorted.begin(), sorted.end());
      EXPECT_EQ(sorted, offsets);
    }
  }
}

}  // namespace
}  // namespace lowp::test
