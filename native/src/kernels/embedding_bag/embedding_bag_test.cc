// Tests of `embedding_bag`: the three ways to say what is in a bag by hand, wide rows, indices and bags outside.
#include "kernels/embedding_bag/embedding_bag.h"

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

using Floats = std::vector<float>;

// Four rows of two: 1 10, 2 20, 3 30, 4 40.
const Floats kTable = {1, 10, 2, 20, 3, 30, 4, 40};

struct Bags {
  std::vector<int64_t> indices, bags;
  Floats weights;
  bool has_bags = true;
};

template <class Index>
Floats SumsAs(ElementType type, const Bags& b, const EmbeddingBagParams& p, std::string* fault) {
  const auto list = [type](const std::vector<int64_t>& v) {
    return Buffer::Of(type, std::vector<Index>(v.begin(), v.end()));
  };
  const Buffer table = Buffer::F32(kTable), indices = list(b.indices), bags = b.has_bags ? list(b.bags) : Buffer();
  const Buffer weights = b.weights.empty() ? Buffer() : Buffer::F32(b.weights);
  Buffer y(ElementType::kF32, size_t{p.bags} * p.width);
  RunCall({&kernel_embedding_bag, &p, {&table, &indices, &bags, &weights}, {}, {&y}}, Isa::kScalar, 1, nullptr, fault);
  return y.to_vector<float>();
}

Floats Sums(const Bags& b, const EmbeddingBagParams& p, std::string* fault = nullptr) {
  const Floats wide = SumsAs<int64_t>(ElementType::kI64, b, p, fault);
  EXPECT_EQ(wide, SumsAs<int32_t>(ElementType::kI32, b, p, fault));
  return wide;
}

TEST(EmbeddingBag, BagsOfOneSize) {
  const Bags b{{0, 1, 3, -1}, {}, {}, false};
  EXPECT_EQ(Sums(b, {4, 2, 4, 2, 0, 0, -1}), (Floats{3, 30, 8, 80}));
  EXPECT_EQ(Sums(b, {4, 2, 4, 2, 0, 1, -1}), (Floats{1.5f, 15, 4, 40}));
  EXPECT_EQ(Sums({{0, 1, 3, -1}, {}, {2, 1, 0.5f, -1}, false}, {4, 2, 4, 2, 0, 0, -1}), (Floats{4, 40, -2, -20}));
}

TEST(EmbeddingBag, BagsByTheirFirstMember) {
  EXPECT_EQ(Sums({{0, 1, 2, 3}, {0, 3, 3}, {}}, {4, 2, 4, 3, 0, 0, -1}), (Floats{6, 60, 0, 0, 4, 40}));
  EXPECT_EQ(Sums({{0, 1, 2, 3}, {0, 3, 3}, {}}, {4, 2, 4, 3, 0, 1, 2}), (Floats{2, 20, 3, 30, 4, 40}));
  EXPECT_EQ(Sums({{0, 1, 2, 3}, {1, 4}, {}}, {4, 2, 4, 2, 0, 0, 0}), (Floats{9, 90, 1, 10}));
}

TEST(EmbeddingBag, BagsOfSingleMembers) {
  const Bags b{{3, 2, 1, 0}, {2, 0, -1, 0}, {1, 10, 1, 1}};
  EXPECT_EQ(Sums(b, {4, 2, 4, 3, 1, 0, 1}), (Floats{31, 310, 2, 20, 6, 60}));
}

TEST(EmbeddingBag, ManyBagsOfWideRows) {
  std::mt19937 random(9);
  for (const uint32_t width : {1u, 255u, 256u, 300u}) {
    const EmbeddingBagParams p{11, width, 500, 40, 1, 0, -1};
    const Floats table = RandomFloats(size_t{11} * width, width, -1, 1);
    std::vector<int32_t> indices(500), bags(500);
    for (int32_t& v : indices) v = static_cast<int32_t>(random() % 22) - 11;
    for (int32_t& v : bags) v = static_cast<int32_t>(random() % 40);
    std::vector<double> sums(size_t{40} * width);
    for (size_t i = 0; i < 500; i++)
      for (size_t k = 0; k < width; k++) {
        const size_t row = static_cast<size_t>(indices[i] < 0 ? indices[i] + 11 : indices[i]);
        sums[static_cast<size_t>(bags[i]) * width + k] += table[row * width + k];
      }
    const Buffer t = Buffer::F32(table), list = Buffer::Of(ElementType::kI32, indices);
    const Buffer of = Buffer::Of(ElementType::kI32, bags);
    Buffer y(ElementType::kF32, sums.size());
    RunCall({&kernel_embedding_bag, &p, {&t, &list, &of}, {}, {&y}}, Isa::kScalar);
    EXPECT_EQ(y.to_vector<float>(), Floats(sums.begin(), sums.end())) << width;
  }
}

TEST(EmbeddingBag, ReportsWhatLiesOutside) {
  std::string fault;
  EXPECT_EQ(Sums({{0, 4, -5, 3}, {}, {}, false}, {4, 2, 4, 2, 0, 0, -1}, &fault), (Floats{1, 10, 4, 40}));
  EXPECT_EQ(fault, "index 4 at position 1 lies outside of an axis with 4 elements");
  Sums({{0, 1, 2, 3}, {0, 3, 2}, {}}, {4, 2, 4, 3, 0, 0, -1}, &fault);
  EXPECT_EQ(fault, "bag 2 begins at 2 of 4 indices");
  Sums({{0, 1, 2, 3}, {0, 5}, {}}, {4, 2, 4, 2, 0, 0, -1}, &fault);
  EXPECT_EQ(fault, "bag 1 begins at 5 of 4 indices");
  Sums({{0, 1, 2, 3}, {-1, 2}, {}}, {4, 2, 4, 2, 0, 0, -1}, &fault);
  EXPECT_EQ(fault, "bag 0 begins at -1 of 4 indices");
  Sums({{0, 1, 2, 3}, {0, 3, 1, -4}, {}}, {4, 2, 4, 3, 1, 0, -1}, &fault);
  EXPECT_EQ(fault, "index 1 is in bag 3 of 3");
}

TEST(EmbeddingBag, OptionalInputsMayBeLeftOut) {
  const Buffer table = Buffer::F32(kTable), indices = Buffer::Of<int32_t>(ElementType::kI32, {1, 2});
  const EmbeddingBagParams p{4, 2, 2, 1, 0, 0, -1};
  Buffer y(ElementType::kF32, 2);
  RunCall({&kernel_embedding_bag, &p, {&table, &indices}, {}, {&y}}, Isa::kScalar);
  EXPECT_EQ(y.to_vector<float>(), (Floats{5, 50}));
}

TEST(EmbeddingBag, RefusesBadCalls) {
  const Buffer table(ElementType::kF32, 8), indices(ElementType::kI32, 4), bags(ElementType::kI32, 2);
  const Buffer y(ElementType::kF32, 4), none = Buffer::Absent(), weights(ElementType::kF32, 4);
  const auto refuses = [&](const EmbeddingBagParams& p, const Buffer& list, const Buffer& of, const Buffer& w,
                           const Buffer& out) {
    return !ValidateOnly({&kernel_embedding_bag, &p, {&table, &list, &of, &w}, {}, {&out}}).ok();
  };
  const EmbeddingBagParams good{4, 2, 4, 2, 0, 0, -1};
  ASSERT_FALSE(refuses(good, indices, bags, weights, y));
  ASSERT_FALSE(refuses(good, indices, none, none, y));
  ASSERT_FALSE(refuses({4, 2, 0, 0, 0, 0, -1}, Buffer(ElementType::kI32, 0), none, none, Buffer(ElementType::kF32, 0)));
  EXPECT_TRUE(refuses(good, indices, Buffer(ElementType::kI64, 2), none, y));
  EXPECT_TRUE(refuses(good, indices, Buffer(ElementType::kI32, 3), none, y));
  EXPECT_TRUE(refuses(good, Buffer(ElementType::kI32, 3), bags, none, y));
  EXPECT_TRUE(refuses(good, indices, bags, Buffer(ElementType::kF32, 3), y));
  EXPECT_TRUE(refuses(good, indices, bags, none, Buffer(ElementType::kF32, 5)));
  EXPECT_TRUE(refuses({4, 2, 4, 2, 0, 0, 4}, indices, bags, none, y));
  EXPECT_TRUE(refuses({4, 2, 4, 2, 1, 0, -1}, indices, none, none, y));
  EXPECT_TRUE(refuses({4, 2, 4, 3, 0, 0, -1}, indices, none, none, Buffer(ElementType::kF32, 6)));
  EXPECT_TRUE(refuses({4, 2, 4, 0, 0, 0, -1}, indices, none, none, Buffer(ElementType::kF32, 0)));
  EXPECT_TRUE(refuses({4, 2, 4, 2, 0, 2, -1}, indices, bags, none, y));
}

}  // namespace
}  // namespace lowp::test
