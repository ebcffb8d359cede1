// Tests of `top_k`: against a stable sort, ties, NaN and both zeros, lines that are strided, calls that are refused.
#include "kernels/top_k/top_k.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

// The definition: NaN above everything, equal elements in order of position.
template <class T>
std::vector<size_t> Chosen(const std::vector<T>& line, const TopKParams& p) {
  const auto less = [](T a, T b) {
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
    }
    return a < b;
  };
  std::vector<size_t> order(line.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t i, size_t j) {
    return p.largest ? less(line[j], line[i]) : less(line[i], line[j]);
  });
  order.resize(p.k);
  if (p.by_index) std::sort(order.begin(), order.end());
  return order;
}

template <class T, class Index>
void Expect(const TopKParams& p, ElementType type, ElementType index_type, const std::vector<T>& x) {
  std::vector<T> values(size_t{p.outer} * p.k * p.inner);
  std::vector<Index> indices(values.size());
  for (size_t o = 0; o < p.outer; o++)
    for (size_t i = 0; i < p.inner; i++) {
      std::vector<T> line(p.size);
      for (size_t n = 0; n < p.size; n++) line[n] = x[(o * p.size + n) * p.inner + i];
      const std::vector<size_t> chosen = Chosen(line, p);
      for (size_t n = 0; n < p.k; n++) {
        values[(o * p.k + n) * p.inner + i] = line[chosen[n]];
        indices[(o * p.k + n) * p.inner + i] = static_cast<Index>(chosen[n]);
      }
    }
  const Buffer in = Buffer::Of(type, x);
  Buffer found(type, values.size()), where(index_type, values.size());
  for (Isa isa : RunnableIsas()) {
    RunCall({&kernel_top_k, &p, {&in}, {}, {&found, &where}}, isa, p.k);
    ASSERT_EQ(where.to_vector<Index>(), indices) << "k " << p.k << " of " << p.size;
    ASSERT_EQ(std::memcmp(found.data(), values.data(), found.bytes()), 0);
  }
}

TEST(TopK, OrdersSpecialValuesByHand) {
  const std::vector<float> x = {-0.0f, NAN, 1, 0.0f, INFINITY, -INFINITY, NAN, 1};
  const auto indices = [&](uint32_t largest, uint32_t by_index, uint32_t k) {
    const TopKParams p{1, 8, 1, k, largest, by_index};
    const Buffer in = Buffer::F32(x);
    Buffer values(ElementType::kF32, k), where(ElementType::kI32, k);
    RunCall({&kernel_top_k, &p, {&in}, {}, {&values, &where}}, Isa::kScalar);
    return where.to_vector<int32_t>();
  };
  EXPECT_EQ(indices(1, 0, 8), (std::vector<int32_t>{1, 6, 4, 2, 7, 0, 3, 5}));
  EXPECT_EQ(indices(0, 0, 8), (std::vector<int32_t>{5, 0, 3, 2, 7, 4, 1, 6}));
  EXPECT_EQ(indices(1, 1, 4), (std::vector<int32_t>{1, 2, 4, 6}));
  EXPECT_EQ(indices(0, 0, 1), (std::vector<int32_t>{5}));
}

TEST(TopK, AgreesWithAStableSort) {
  std::mt19937 random(9);
  for (int round = 0; round < 80; round++) {
    TopKParams p{};
    p.outer = 1 + random() % 3;
    p.size = round % 10 == 9 ? 5000 : 1 + random() % 90;
    p.inner = 1 + random() % 4;
    p.k = 1 + random() % p.size;
    p.largest = random() % 2;
    p.by_index = random() % 2;
    const size_t n = size_t{p.outer} * p.size * p.inner;
    std::vector<float> floats = RandomFloats(n, static_cast<unsigned>(round), -2.0f, 2.0f, true);
    std::vector<int32_t> few(n);
    for (int32_t& v : few) v = static_cast<int32_t>(random() % 5) - 2;
    if (round % 3 == 0)
      for (float& v : floats) v = std::isnan(v) ? v : std::round(v);
    Expect<float, int64_t>(p, ElementType::kF32, ElementType::kI64, floats);
    Expect<int32_t, int32_t>(p, ElementType::kI32, ElementType::kI32, few);
    // Steps beyond 32 bits.
    std::vector<int64_t> wide(few.begin(), few.end());
    for (int64_t& v : wide) v <<= 40;
    Expect<int64_t, int32_t>(p, ElementType::kI64, ElementType::kI32, wide);
  }
}

// Rising lines throw out and refill the keys that are kept as often as can be; falling ones never.
TEST(TopK, FindsTheBestOfSortedLines) {
  std::vector<float> rising(20000);
  std::iota(rising.begin(), rising.end(), -10000.0f);
  for (const uint32_t k : {1u, 2u, 511u, 513u, 9999u, 20000u})
    for (const uint32_t largest : {0u, 1u})
      Expect<float, int32_t>({1, 20000, 1, k, largest, 0}, ElementType::kF32, ElementType::kI32, rising);
}

TEST(TopK, OrdersTheEndsOfI32) {
  const std::vector<int32_t> x = {0, INT32_MAX, INT32_MIN, -1, 1, INT32_MAX};
  Expect<int32_t, int64_t>({1, 6, 1, 6, 1, 0}, ElementType::kI32, ElementType::kI64, x);
  Expect<int32_t, int64_t>({1, 6, 1, 6, 0, 0}, ElementType::kI32, ElementType::kI64, x);
}

TEST(TopK, OrdersTheEndsOfI64) {
  const std::vector<int64_t> x = {0, INT64_MAX, INT64_MIN, INT64_MAX - 1, 1, INT64_MAX};
  Expect<int64_t, int64_t>({1, 6, 1, 6, 1, 0}, ElementType::kI64, ElementType::kI64, x);
  Expect<int64_t, int64_t>({1, 6, 1, 6, 0, 0}, ElementType::kI64, ElementType::kI64, x);
}

TEST(TopK, RefusesBadCalls) {
  const Buffer x(ElementType::kF32, 24), values(ElementType::kF32, 12), indices(ElementType::kI64, 12);
  const auto refuses = [&](const TopKParams& p, const Buffer& in, const Buffer& v, const Buffer& i) {
    return !ValidateOnly({&kernel_top_k, &p, {&in}, {}, {&v, &i}}).ok();
  };
  ASSERT_FALSE(refuses({2, 4, 3, 2, 1, 0}, x, values, indices));
  EXPECT_TRUE(refuses({2, 4, 3, 0, 1, 0}, x, values, indices));
  EXPECT_TRUE(refuses({2, 4, 3, 5, 1, 0}, x, values, indices));
  EXPECT_TRUE(refuses({2, 4, 3, 2, 2, 0}, x, values, indices));
  EXPECT_TRUE(refuses({2, 4, 3, 2, 1, 2}, x, values, indices));
  EXPECT_TRUE(refuses({2, 4, 4, 2, 1, 0}, x, values, indices));
  EXPECT_TRUE(refuses({2, 4, 3, 2, 1, 0}, Buffer(ElementType::kI64, 24), values, indices));
  EXPECT_TRUE(refuses({2, 4, 3, 2, 1, 0}, Buffer(ElementType::kU8, 24), Buffer(ElementType::kU8, 12), indices));
  EXPECT_TRUE(refuses({2, 4, 3, 2, 1, 0}, x, Buffer(ElementType::kI32, 12), indices));
  EXPECT_TRUE(refuses({2, 4, 3, 2, 1, 0}, x, values, Buffer(ElementType::kF32, 12)));
}

}  // namespace
}  // namespace lowp::test
