// Every row of the 16-bit matrix product against sums in s64, bit by bit, and the proof of its blocks.
#include "kernels/matmul_s16/matmul_s16.h"

#include <limits>

#include "compute_reference.h"
#include "kernels/matmul_s16/pack.h"

namespace lowp::test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

Buffer I16(const std::vector<int16_t>& v) { return Buffer::Of(ElementType::kI16, v); }
Buffer I32(const std::vector<int32_t>& v) { return Buffer::Of(ElementType::kI32, v); }

std::vector<int16_t> RandomShorts(std::mt19937& random, size_t count, int low = -32768, int high = 32767) {
  std::uniform_int_distribution<int> values(low, high);
  std::vector<int16_t> out(count);
  for (int16_t& v : out) v = static_cast<int16_t>(values(random));
  return out;
}

// -32768, -32767, 32767, 0, and any other value now and then.
std::vector<int16_t> ExtremeShorts(std::mt19937& random, size_t count) {
  static constexpr int16_t kCorners[] = {-32768, -32768, -32768, -32767, 32767, 0};
  std::vector<int16_t> out = RandomShorts(random, count);
  for (int16_t& v : out)
    if (random() % 8 != 0) v = kCorners[random() % 6];
  return out;
}

struct Shape {
  uint32_t m = 1, k = 1, n = 1, transposed = 1, in_gap = 0, in_offset = 0, out_gap = 0, out_offset = 0;
  bool bias = true, residual = false;
};

class Case {
 public:
  Case(const Shape& s, bool floats, const std::vector<int16_t>& x, const std::vector<int16_t>& w, unsigned seed)
      : floats_(floats), x_(I16(x)), w_(I16(w)) {
    std::mt19937 random(seed);
    p_ = {s.m, s.k, s.n, s.transposed, InStride(s), s.in_offset, s.n + s.out_gap + s.out_offset, s.out_offset,
          0.75f, -kInfinity, kInfinity};
    if (floats_) {
      scale_ = Buffer::F32(RandomFloats(random, s.n, -1e-3f, 1e-3f));
      if (s.bias) bias_ = Buffer::F32(RandomFloats(random, s.n, -100.0f, 100.0f));
      if (s.residual) residual_ = Buffer::F32(RandomFloats(random, size_t{s.m} * s.n, -1e4f, 1e4f));
    } else {
      if (s.bias) bias_ = I32(RandomInts(random, s.n));
      if (s.residual) residual_ = I32(RandomInts(random, size_t{s.m} * s.n));
    }
    Reference();
  }

  static uint32_t InStride(const Shape& s) { return s.in_offset + s.k + s.in_gap; }

  CallSpec Spec(const Buffer* y) const {
    return {&kernel_matmul_s16, &p_, {&x_, &w_, &bias_, &scale_, &residual_}, {false, true, true, true}, {y}};
  }

  // The tiles are distributed in three ways.
  void Check() const {
    for (Isa isa : RunnableIsas())
      for (unsigned seed : {1, 2, 3}) {
        Buffer y = Output();
        const std::string row = RunCall(Spec(&y), isa, seed);
        ASSERT_EQ(FirstDifference(y, expected_, 4), -1) << row << " m " << p_.m << " k " << p_.k << " n " << p_.n
                                                        << (floats_ ? " f32" : " i32");
      }
  }

  Buffer Output() const {
    Buffer y(floats_ ? ElementType::kF32 : ElementType::kI32, size_t{p_.m} * p_.out_stride);
    FillPattern(&y);
    return y;
  }

  MatmulS16Params& params() { return p_; }
  const Buffer& expected() const { return expected_; }
  const Buffer& residual() const { return residual_; }
  void Limit(float low, float high) { p_.low = low, p_.high = high, Reference(); }

 private:
  static std::vector<int32_t> RandomInts(std::mt19937& random, size_t count) {
    std::vector<int32_t> out(count);
    for (int32_t& v : out) v = static_cast<int32_t>(random());
    return out;
  }

  int64_t Sum(size_t i, size_t n) const {
    int64_t sum = 0;
    for (size_t j = 0; j < p_.k; j++)
      sum += int64_t{x_.as<int16_t>()[i * p_.in_stride + p_.in_offset + j]} *
             w_.as<int16_t>()[p_.weights_transposed ? n * p_.k + j : j * p_.n + n];
    return sum;
  }

  void Reference() {
    expected_ = Output();
    for (size_t i = 0; i < p_.m; i++)
      for (size_t n = 0; n < p_.n; n++) {
        const size_t to = i * p_.out_stride + p_.out_offset + n, from = i * p_.n + n;
        int64_t sum = Sum(i, n);
        if (floats_) {
          const float bias = bias_.present() ? bias_.as<float>()[n] : 0.0f;
          float v = std::fma(static_cast<float>(sum), scale_.as<float>()[n], bias);
          if (residual_.present()) v = std::fma(residual_.as<float>()[from], p_.residual_scale, v);
          v = v > p_.low ? v : p_.low;
          expected_.as<float>()[to] = v < p_.high ? v : p_.high;
        } else {
          if (bias_.present()) sum += bias_.as<int32_t>()[n];
          if (residual_.present()) sum += residual_.as<int32_t>()[from];
          expected_.as<int32_t>()[to] = static_cast<int32_t>(std::clamp<int64_t>(sum, INT32_MIN, INT32_MAX));
        }
      }
  }

  bool floats_;
  MatmulS16Params p_;
  Buffer x_, w_, bias_, scale_, residual_, expected_;
};

// Weights of all of s16, corners, and ones so small that a single block holds them; f32 and i32 y.
void CheckKinds(const Shape& s, unsigned seed) {
  std::mt19937 random(seed);
  const size_t x = size_t{s.m} * Case::InStride(s), w = size_t{s.k} * s.n;
  for (bool floats : {true, false}) {
    Case(s, floats, RandomShorts(random, x), RandomShorts(random, w), seed).Check();
    Case(s, floats, RandomShorts(random, x), RandomShorts(random, w, -500, 500), seed).Check();
    Case(s, floats, ExtremeShorts(random, x), ExtremeShorts(random, w), seed).Check();
  }
}

TEST(MatmulS16, SmallSizesEqualTheDefinition) {
  for (uint32_t m : {1, 2, 3, 4, 7, 9})
    for (uint32_t n : {1, 8, 13, 16, 17, 32, 33, 70})
      for (uint32_t k : {1, 2, 3, 30, 65}) CheckKinds({m, k, n}, m * 10000 + n * 100 + k);
}

TEST(MatmulS16, ManyRowsMakeManyTiles) { CheckKinds({131, 40, 50}, 1); }

TEST(MatmulS16, StridesOffsetsAndEitherOrderOfWeights) {
  for (uint32_t transposed : {0, 1}) {
    CheckKinds({5, 21, 19, transposed, 3, 2, 4, 1}, transposed);
    CheckKinds({6, 16, 16, transposed, 0, 1, 0, 7, false, true}, 2 + transposed);
  }
}

TEST(MatmulS16, BiasAndResidualMayBeAbsent) {
  for (bool bias : {false, true})
    for (bool residual : {false, true}) CheckKinds({7, 33, 37, 1, 0, 0, 0, 0, bias, residual}, bias + 2 * residual);
}

TEST(MatmulS16, ClampsFloats) {
  std::mt19937 random(5);
  Case c(Shape{4, 20, 21}, true, RandomShorts(random, 80), RandomShorts(random, 420), 5);
  c.Limit(-150.0f, 90.0f);
  c.Check();
}

TEST(MatmulS16, NanOfTheResidualBecomesTheLowBound) {
  MatmulS16Params p = {1, 1, 19, 1, 1, 0, 19, 0, 1.0f, -2.0f, 5.0f};
  const Buffer x = I16({1}), w = I16(std::vector<int16_t>(19, 1)), bias = Buffer::F32(std::vector<float>(19, 0.0f));
  const Buffer scale = Buffer::F32(std::vector<float>(19, 1.0f));
  const Buffer residual = Buffer::F32(std::vector<float>(19, std::numeric_limits<float>::quiet_NaN()));
  for (Isa isa : RunnableIsas()) {
    Buffer y(ElementType::kF32, 19);
    RunCall({&kernel_matmul_s16, &p, {&x, &w, &bias, &scale, &residual}, {false, true, true, true}, {&y}}, isa);
    EXPECT_EQ(y.to_vector<float>(), std::vector<float>(19, -2.0f)) << IsaName(isa);
  }
}

// -32768 * -32768 twice is 2^31, which vpmaddwd and an s32 have no room for.
TEST(MatmulS16, TheLowestTimesTheLowestIsExact) {
  for (uint32_t k : {2u, 3u, 1000u, kMostS16Products})
    for (int16_t w : {-32768, 32767})
      for (int16_t x : {-32768, 32767}) {
        const Shape s = {1, k, 3, 1, 0, 0, 0, 0, false, false};
        for (bool floats : {true, false})
          Case(s, floats, std::vector<int16_t>(k, x), std::vector<int16_t>(size_t{k} * 3, w), k).Check();
      }
}

// Blocks of one step each whose halves are the largest: -1 has 0xFFFF below, the corners 0x7FFF and -0x8000 above.
TEST(MatmulS16, HalvesOfTheGreatestDepthDoNotOverflow) {
  const uint32_t k = kMostS16Products;
  std::vector<int16_t> w(k), x(k);
  const auto check = [&](auto value) {
    for (uint32_t j = 0; j < k; j++) x[j] = static_cast<int16_t>(value(j)), w[j] = j % 2 ? 32767 : -32768;
    for (bool floats : {true, false}) Case(Shape{1, k, 1, 1, 0, 0, 0, 0, false}, floats, x, w, 1).Check();
    for (uint32_t j = 0; j < k; j++) w[j] = 32767;
    for (bool floats : {true, false}) Case(Shape{1, k, 1, 1, 0, 0, 0, 0, false}, floats, x, w, 1).Check();
  };
  check([](uint32_t) { return -1; });
  check([](uint32_t) { return 1; });
  check([](uint32_t j) { return j % 2 ? -32768 : 32767; });
  check([](uint32_t j) { return j % 2 ? 32767 : -32768; });
}

TEST(MatmulS16, SaturatesOnceAtTheEnd) {
  const uint32_t k = 64;
  std::vector<int16_t> x(k, 32767), w(k, 32767);
  std::fill(w.begin() + k / 2, w.end(), int16_t{-32767});  // far above s32, then back to 0
  w[k - 1] = -32760;                                       // and 7 * 32767 above
  const Buffer bx = I16(x), bw = I16(w), absent;
  MatmulS16Params p = {1, k, 1, 1, k, 0, 1, 0, 0.0f, 0.0f, 0.0f};
  for (Isa isa : RunnableIsas()) {
    Buffer y(ElementType::kI32, 1);
    RunCall({&kernel_matmul_s16, &p, {&bx, &bw}, {false, true}, {&y}}, isa);
    EXPECT_EQ(y.as<int32_t>()[0], 7 * 32767) << IsaName(isa);
  }
}

// The GNA's partial blocks: the first one saturates, the second one subtracts from what is left.
TEST(MatmulS16, ChainedCallsSaturateAfterEachBlock) {
  const uint32_t half = 6, k = 2 * half;
  std::vector<int16_t> x(k, 32767), w(half, 32767), negative(half, -16384);
  const Buffer bx = I16(x), w0 = I16(w), w1 = I16(negative), bias = I32({1000}), absent;
  MatmulS16Params p = {1, half, 1, 1, k, 0, 1, 0, 0.0f, 0.0f, 0.0f};
  for (Isa isa : RunnableIsas()) {
    Buffer first(ElementType::kI32, 1), second(ElementType::kI32, 1);
    p.in_offset = 0;
    RunCall({&kernel_matmul_s16, &p, {&bx, &w0, &bias}, {false, true, true}, {&first}}, isa);
    EXPECT_EQ(first.as<int32_t>()[0], INT32_MAX);
    p.in_offset = half;
    RunCall({&kernel_matmul_s16, &p, {&bx, &w1, &absent, &absent, &first}, {false, true}, {&second}}, isa);
    EXPECT_EQ(second.as<int32_t>()[0], INT32_MAX - int64_t{half} * 32767 * 16384) << IsaName(isa);
  }
}

TEST(MatmulS16, TheResidualMayBeTheOutputWhenItSaysSo) {
  std::mt19937 random(9);
  for (bool floats : {true, false}) {
    const std::vector<int16_t> x = RandomShorts(random, 9 * 30), w = RandomShorts(random, 30 * 32);
    const Case c(Shape{9, 30, 32, 1, 0, 0, 0, 0, true, true}, floats, x, w, 9);
    for (Isa isa : RunnableIsas()) {
      Buffer y = c.Output();
      std::memcpy(y.data(), c.residual().data(), y.bytes());
      CallSpec spec = c.Spec(&y);
      spec.inputs[4] = &y;
      std::vector<Operand> ins, outs;
      CallView view;
      ASSERT_TRUE(Validate(spec, &ins, &outs, &view).ok());
      PrepareContext context;
      context.isa = isa;
      EXPECT_EQ(kernel_matmul_s16.prepare(view, context).value()->inplace_input, 4);
      RunCall(spec, isa, 3);
      EXPECT_EQ(FirstDifference(y, c.expected(), 4), -1) << IsaName(isa);
    }
  }
}

// Blocks in order, each within its proof, that together are the weights.
void CheckBlocks(const std::vector<int16_t>& w, size_t k, size_t n, uint32_t lanes, uint32_t vectors) {
  Result<PackedS16> packed = PackS16({w.data(), k, n, 1, k}, lanes, vectors);
  ASSERT_TRUE(packed.ok());
  std::vector<int16_t> sum(w.size(), 0);
  for (const S16Panel& panel : packed.value().panels) {
    const size_t width = size_t{panel.vectors} * lanes;
    const int16_t* from = packed.value().weights.get() + panel.weights;
    ASSERT_LE(panel.blocks, k);
    for (size_t b = 0; b < panel.blocks; b++) {
      const S16Block& block = packed.value().blocks[panel.first_block + b];
      std::vector<uint32_t> magnitudes(width, 0);
      for (size_t s = block.first; s < block.first + block.steps; s++)
        for (size_t c = 0; c < width; c++)
          for (size_t e = 0; e < 2; e++, from++) {
            magnitudes[c] += static_cast<uint32_t>(std::abs(int{*from}));
            if (c >= panel.columns || 2 * s + e >= k) {
              ASSERT_EQ(*from, 0);
            } else {
              sum[(panel.n + c) * k + 2 * s + e] += *from;
            }
          }
      for (uint32_t magnitude : magnitudes) ASSERT_LE(uint64_t{magnitude} * 32768, uint64_t{INT32_MAX});
    }
  }
  EXPECT_EQ(sum, w);
}

TEST(MatmulS16, BlocksAreProvenAndHoldEveryWeightOnce) {
  std::mt19937 random(3);
  for (size_t k : {1, 2, 7, 64, 301})
    for (size_t n : {1, 16, 37}) {
      CheckBlocks(RandomShorts(random, k * n), k, n, 8, 2);
      CheckBlocks(RandomShorts(random, k * n, -900, 900), k, n, 16, 2);
      CheckBlocks(ExtremeShorts(random, k * n), k, n, 8, 1);
      CheckBlocks(std::vector<int16_t>(k * n, -32768), k, n, 8, 2);
    }
}

TEST(MatmulS16, SmallWeightsAreOneBlock) {
  const std::vector<int16_t> w(300 * 16, 218);  // 300 * 218 = 65400
  EXPECT_EQ(PackS16({w.data(), 300, 16, 1, 300}, 8, 2).value().blocks.size(), 1u);
  const std::vector<int16_t> more(302 * 16, 218);
  EXPECT_EQ(PackS16({more.data(), 302, 16, 1, 302}, 8, 2).value().blocks.size(), 2u);
}

TEST(MatmulS16, RefusesParamsThatDoNotFitTheOperands) {
  const auto refused = [](void (*change)(MatmulS16Params*)) {
    Case c(Shape{4, 8, 16}, true, std::vector<int16_t>(32), std::vector<int16_t>(128), 1);
    Buffer y = c.Output();
    change(&c.params());
    return !ValidateOnly(c.Spec(&y)).ok();
  };
  EXPECT_FALSE(refused([](MatmulS16Params*) {}));
  EXPECT_TRUE(refused([](MatmulS16Params* p) { p->m = 0; }));
  EXPECT_TRUE(refused([](MatmulS16Params* p) { p->k = 0; }));
  EXPECT_TRUE(refused([](MatmulS16Params* p) { p->n = 15; }));
  EXPECT_TRUE(refused([](MatmulS16Params* p) { p->m = 5; }));
  EXPECT_TRUE(refused([](MatmulS16Params* p) { p->in_offset = 1; }));
  EXPECT_TRUE(refused([](MatmulS16Params* p) { p->in_offset = UINT32_MAX; }));
  EXPECT_TRUE(refused([](MatmulS16Params* p) { p->in_stride = 7; }));
  EXPECT_TRUE(refused([](MatmulS16Params* p) { p->out_stride = 17; }));
  EXPECT_TRUE(refused([](MatmulS16Params* p) { p->out_offset = 1; }));
  EXPECT_TRUE(refused([](MatmulS16Params* p) { p->weights_transposed = 2; }));
  EXPECT_TRUE(refused([](MatmulS16Params* p) { p->m = p->in_stride = p->out_stride = UINT32_MAX; }));
}

TEST(MatmulS16, RefusesOperandsOfOtherTypesAndSizes) {
  MatmulS16Params p = {2, 4, 3, 1, 4, 0, 3, 0, 1.0f, 0.0f, 1.0f};
  const Buffer x(ElementType::kI16, 8), w(ElementType::kI16, 12), f3(ElementType::kF32, 3), i3(ElementType::kI32, 3);
  const Buffer f6(ElementType::kF32, 6), i6(ElementType::kI32, 6), f2(ElementType::kF32, 2), bytes(ElementType::kU8, 8);
  const Buffer absent;
  const auto ok = [&](std::vector<const Buffer*> inputs, const Buffer* y,
                      std::vector<bool> constant = {false, true, true, true}) {
    return ValidateOnly({&kernel_matmul_s16, &p, std::move(inputs), std::move(constant), {y}}).ok();
  };
  EXPECT_TRUE(ok({&x, &w, &f3, &f3, &f6}, &f6));
  EXPECT_TRUE(ok({&x, &w, &i3, &absent, &i6}, &i6));
  EXPECT_FALSE(ok({&bytes, &w, &f3, &f3, &f6}, &f6));
  EXPECT_FALSE(ok({&x, &bytes, &f3, &f3, &f6}, &f6));
  EXPECT_FALSE(ok({&x, &w, &f3, &f3, &f6}, &bytes));
  EXPECT_FALSE(ok({&x, &w, &f3, &f3, &f6}, &f6, {false, false, true, true}));
  EXPECT_FALSE(ok({&x, &w, &f3, &f3, &f6}, &f6, {false, true, false, true}));
  EXPECT_FALSE(ok({&x, &w, &f3, &absent, &f6}, &f6));
  EXPECT_FALSE(ok({&x, &w, &i3, &f3, &f6}, &f6));
  EXPECT_FALSE(ok({&x, &w, &f2, &f3, &f6}, &f6));
  EXPECT_FALSE(ok({&x, &w, &f3, &f3, &i6}, &f6));
  EXPECT_FALSE(ok({&x, &w, &f3, &f3, &f3}, &f6));
  EXPECT_FALSE(ok({&x, &w, &i3, &f3, &i6}, &i6));
  EXPECT_FALSE(ok({&x, &w, &f3, &absent, &i6}, &i6));
  p.k = p.in_stride = kMostS16Products + 1, p.m = p.n = p.out_stride = 1;
  const Buffer deep(ElementType::kI16, p.k), f1(ElementType::kF32, 1);
  EXPECT_FALSE(ok({&deep, &deep, &absent, &f1}, &f1));
}

}  // namespace
}  // namespace lowp::test
