// Equal arrays are one, others are not, nobody's are gone; from several threads too.
#include "base/shared_array.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

namespace lowp {
namespace {

constexpr size_t kSize = 3 * kLeastSharedBytes + 5;

std::vector<uint8_t> Pattern(uint8_t seed, size_t size = kSize) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; i++) bytes[i] = static_cast<uint8_t>(i * 7 + seed);
  return bytes;
}

SharedArray<uint8_t> Made(const std::vector<uint8_t>& bytes) {
  AlignedPtr<uint8_t> array = AllocateAligned<uint8_t>(bytes.size());
  std::memcpy(array.get(), bytes.data(), bytes.size());
  return Share(std::move(array), bytes.size());
}

TEST(SharedArray, EqualBytesAreKeptOnce) {
  const SharedTotals before = CountShared();
  const SharedArray<uint8_t> first = Made(Pattern(1)), second = Made(Pattern(1));
  const SharedArray<uint8_t> copy = ShareCopy(Pattern(1).data(), kSize);
  EXPECT_EQ(first.get(), second.get());
  EXPECT_EQ(first.get(), copy.get());
  EXPECT_EQ(first.found_bytes(), 0u);
  EXPECT_EQ(second.found_bytes(), kSize);
  EXPECT_EQ(copy.found_bytes(), kSize);
  EXPECT_EQ(CountShared().arrays, before.arrays + 1);
  EXPECT_EQ(CountShared().bytes, before.bytes + kSize);
}

TEST(SharedArray, OneOtherByteAnywhereIsAnotherArray) {
  const std::vector<uint8_t> bytes = Pattern(2);
  const SharedArray<uint8_t> first = Made(bytes);
  for (size_t i = 0; i < kSize; i += i + 1 == kSize ? 1 : std::min<size_t>(97, kSize - 1 - i)) {
    std::vector<uint8_t> other = bytes;
    other[i] ^= 1;
    const SharedArray<uint8_t> made = Made(other);
    ASSERT_NE(made.get(), first.get()) << "byte " << i;
    ASSERT_EQ(std::memcmp(made.get(), other.data(), kSize), 0);
  }
  const std::vector<uint8_t> shorter(bytes.begin(), bytes.end() - 1);
  EXPECT_NE(Made(shorter).get(), first.get());
}

TEST(SharedArray, TheLastOwnerFreesIt) {
  const SharedTotals before = CountShared();
  {
    SharedArray<uint8_t> first = Made(Pattern(3));
    const SharedArray<uint8_t> second = Made(Pattern(3));
    first = {};
    EXPECT_EQ(CountShared().arrays, before.arrays + 1);
    EXPECT_EQ(std::memcmp(second.get(), Pattern(3).data(), kSize), 0);
  }
  EXPECT_EQ(CountShared().arrays, before.arrays);
  EXPECT_EQ(CountShared().bytes, before.bytes);
  EXPECT_EQ(Made(Pattern(3)).found_bytes(), 0u);
}

TEST(SharedArray, SmallAndAbsentArraysHaveNoEntry) {
  const SharedTotals before = CountShared();
  const std::vector<uint8_t> small = Pattern(4, kLeastSharedBytes - 1);
  const SharedArray<uint8_t> first = Made(small), second = Made(small), empty = ShareCopy(nullptr, 0);
  EXPECT_NE(first.get(), second.get());
  EXPECT_NE(empty.get(), nullptr);
  EXPECT_FALSE(Share(AlignedPtr<uint8_t>(), 1));
  EXPECT_EQ(CountShared().arrays, before.arrays);
}

// Zeros with one other byte where the digest does not look: many arrays of one digest.
TEST(SharedArray, ManyArraysOfOneDigestStayApart) {
  std::vector<SharedArray<uint8_t>> arrays;
  for (uint8_t i = 1; i <= 40; i++) {
    std::vector<uint8_t> bytes(kSize);
    bytes[100] = i;
    arrays.push_back(Made(bytes));
  }
  for (uint8_t i = 1; i <= 40; i++) ASSERT_EQ(arrays[i - 1].get()[100], i);
}

TEST(SharedArray, ThreadsShareAndDrop) {
  const SharedTotals before = CountShared();
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (size_t t = 0; t < 4; t++) {
    threads.emplace_back([t, &wrong] {
      for (uint8_t turn = 0; turn < 200; turn++) {
        const std::vector<uint8_t> bytes = Pattern(static_cast<uint8_t>(turn % 3));
        const SharedArray<uint8_t> array = Made(bytes);
        wrong[t] += std::memcmp(array.get(), bytes.data(), kSize) != 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
  EXPECT_EQ(CountShared().arrays, before.arrays);
}

}  // namespace
}  // namespace lowp
