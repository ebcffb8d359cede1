// Tests of `search_sorted`: ends and equal elements by hand, rows of their own, every type, calls that are refused.
#include "kernels/search_sorted/search_sorted.h"

#include <algorithm>
#include <cmath>

#include "kernel_harness.h"

namespace lowp::test {
namespace {

template <class T>
std::vector<int64_t> Places(ElementType type, const std::vector<T>& rows, const std::vector<T>& x,
                            const SearchSortedParams& p) {
  const Buffer sorted = Buffer::Of(type, rows), in = Buffer::Of(type, x);
  Buffer wide(ElementType::kI64, x.size()), narrow(ElementType::kI32, x.size());
  RunCall({&kernel_search_sorted, &p, {&sorted, &in}, {}, {&wide}}, Isa::kScalar);
  RunCall({&kernel_search_sorted, &p, {&sorted, &in}, {}, {&narrow}}, Isa::kScalar);
  const std::vector<int32_t> same = narrow.to_vector<int32_t>();
  EXPECT_EQ(std::vector<int64_t>(same.begin(), same.end()), wide.to_vector<int64_t>());
  return wide.to_vector<int64_t>();
}

using Indices = std::vector<int64_t>;

TEST(SearchSorted, EqualElements) {
  const std::vector<float> row = {1, 2, 2, 5}, x = {0, 1, 1.5f, 2, 5, 6, -INFINITY, INFINITY, NAN};
  EXPECT_EQ(Places<float>(ElementType::kF32, row, x, {1, 4, 9, 0}), (Indices{0, 0, 1, 1, 3, 4, 0, 4, 0}));
  EXPECT_EQ(Places<float>(ElementType::kF32, row, x, {1, 4, 9, 1}), (Indices{0, 1, 1, 3, 4, 4, 0, 4, 0}));
}

TEST(SearchSorted, RowsOfTheirOwn) {
  EXPECT_EQ(Places<int32_t>(ElementType::kI32, {1, 3, 10, 30}, {2, 3, 5, 40}, {2, 2, 2, 0}), (Indices{1, 1, 0, 2}));
  const int64_t large = int64_t{1} << 60;
  EXPECT_EQ(Places<int64_t>(ElementType::kI64, {large, large + 1}, {large + 1, large}, {1, 2, 2, 0}), (Indices{1, 0}));
  EXPECT_EQ(Places<float>(ElementType::kF32, {}, {3, 4}, {1, 0, 2, 0}), (Indices{0, 0}));
}

TEST(SearchSorted, ManyValues) {
  std::mt19937 random(5);
  std::vector<int32_t> row(100), x(40000);
  for (int32_t& v : row) v = static_cast<int32_t>(random() % 50);
  for (int32_t& v : x) v = static_cast<int32_t>(random() % 60) - 5;
  std::sort(row.begin(), row.end());
  for (const uint32_t above : {0u, 1u}) {
    Indices expected;
    for (int32_t v : x)
      expected.push_back((above ? std::upper_bound(row.begin(), row.end(), v) : std::lower_bound(row.begin(), row.end(), v)) -
                         row.begin());
    EXPECT_EQ(Places<int32_t>(ElementType::kI32, row, x, {1, 100, 40000, above}), expected);
  }
}

TEST(SearchSorted, RefusesBadCalls) {
  const Buffer rows(ElementType::kF32, 4), x(ElementType::kF32, 6), y(ElementType::kI32, 6);
  const auto refuses = [](const SearchSortedParams& p, const Buffer& sorted, const Buffer& in, const Buffer& out) {
    return !ValidateOnly({&kernel_search_sorted, &p, {&sorted, &in}, {}, {&out}}).ok();
  };
  ASSERT_FALSE(refuses({2, 2, 3, 0}, rows, x, y));
  EXPECT_TRUE(refuses({2, 3, 3, 0}, rows, x, y));
  EXPECT_TRUE(refuses({2, 2, 4, 0}, rows, x, y));
  EXPECT_TRUE(refuses({2, 2, 3, 2}, rows, x, y));
  EXPECT_TRUE(refuses({2, 2, 3, 0}, Buffer(ElementType::kI32, 4), x, y));
  EXPECT_TRUE(refuses({2, 2, 3, 0}, rows, x, x));
  EXPECT_TRUE(refuses({2, 2, 3, 0}, Buffer(ElementType::kU8, 4), Buffer(ElementType::kU8, 6), y));
}

}  // namespace
}  // namespace lowp::test
