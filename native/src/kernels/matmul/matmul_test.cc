// Every row of the matrix product against a plain triple loop, bit by bit.
#include "kernels/matmul/matmul.h"

#include "compute_reference.h"

namespace lowp::test {
namespace {

struct Shape {
  uint32_t m = 1, k = 1, n = 1, transposed = 1, in_gap = 0, out_gap = 0, out_offset = 0, zero_point = 3;
};

class Case {
 public:
  Case(const Shape& s, bool integer, bool u8, Weights weights, const PostOps& ops, unsigned seed)
      : integer_(integer), u8_(integer && u8), ops_(ops) {
    std::mt19937 random(seed);
    p_ = {};
    p_.m = s.m;
    p_.k = s.k;
    p_.n = s.n;
    p_.weights_transposed = s.transposed;
    p_.in_stride = s.k + s.in_gap;
    p_.out_stride = s.n + s.out_gap + s.out_offset;
    p_.out_offset = s.out_offset;
    p_.in_zero_point = s.zero_point;
    SetPostParams(ops, &p_);
    const size_t count = size_t{p_.m} * p_.in_stride;
    x_ = integer ? Buffer::U8(RandomBytes(random, count)) : Buffer::F32(RandomFloats(random, count, -2.0f, 2.0f));
    w_ = RandomWeights(random, integer, weights, size_t{p_.k} * p_.n);
    operands_ = RandomPostOperands(random, ops, integer, p_.m, p_.n);
    expected_ = Output();
    Reference();
  }

  CallSpec Spec(const Buffer* y) const {
    return {&kernel_matmul,
            &p_,
            {&x_, &w_, &operands_.bias, &operands_.scale, &operands_.residual, &operands_.bounds},
            {false, true, true, true, false, true},
            {y}};
  }

  void Check(const char* force_row = nullptr) const {
    for (Isa isa : RunnableIsas()) {
      Buffer y = Output();
      const std::string row = RunCall(Spec(&y), isa, 5, force_row);
      ASSERT_EQ(FirstDifference(y, expected_, u8_ ? 1 : 4), -1)
          << row << " m " << p_.m << " k " << p_.k << " n " << p_.n;
    }
  }

  MatmulParams& params() { return p_; }
  Buffer Output() const {
    Buffer y(u8_ ? ElementType::kU8 : ElementType::kF32, size_t{p_.m} * p_.out_stride);
    FillPattern(&y);
    return y;
  }

 private:
  void Reference() {
    for (size_t i = 0; i < p_.m; i++) {
      for (size_t n = 0; n < p_.n; n++) {
        int64_t exact = 0;
        float chain = 0.0f;
        for (size_t j = 0; j < p_.k; j++) {
          const size_t weight = p_.weights_transposed ? n * p_.k + j : j * p_.n + n;
          const size_t at = i * p_.in_stride + j;
          if (integer_) {
            exact += (int64_t{x_.data()[at]} - p_.in_zero_point) * w_.as<int8_t>()[weight];
          } else {
            chain = std::fma(x_.as<float>()[at], w_.as<float>()[weight], chain);
          }
        }
        const double sum = integer_ ? static_cast<double>(exact) : static_cast<double>(chain);
        ReferenceStore(ops_, operands_, ReferenceValue(ops_, operands_, integer_, sum, i, n, p_.n), n, p_.n,
                       i * p_.out_stride + p_.out_offset, u8_, &expected_);
      }
    }
  }

  MatmulParams p_;
  bool integer_, u8_;
  PostOps ops_;
  Buffer x_, w_, expected_;
  PostOperands operands_;
};

void CheckKinds(const Shape& s, const PostOps& ops, unsigned seed) {
  Case(s, true, true, Weights::kFull, ops, seed).Check();
  Case(s, true, false, Weights::kSafe, ops, seed).Check();
  Case(s, false, false, Weights::kFull, ops, seed).Check();
}

TEST(Matmul, SmallSizesEqualTheReference) {
  for (uint32_t m : {1, 2, 3, 5, 6, 7, 12, 13})
    for (uint32_t n : {1, 8, 16, 40, 64, 65, 130})
      for (uint32_t k : {1, 2, 4, 7, 64, 70}) CheckKinds({m, k, n}, PostOps{}, m * 10000 + n * 100 + k);
}

TEST(Matmul, OneRowByManyColumns) {
  for (uint32_t k : {300, 1025, 2048}) CheckKinds({1, k, 1000}, PostOps{}, k);
}

TEST(Matmul, WeightsMayBeStoredEitherWay) {
  for (uint32_t transposed : {0, 1}) CheckKinds({9, 33, 71, transposed}, PostOps{}, transposed);
}

TEST(Matmul, StridesAndOffsets) {
  CheckKinds({7, 20, 33, 1, 5, 9, 2}, PostOps{}, 1);
  CheckKinds({7, 20, 33, 0, 1, 0, 31}, PostOps{}, 2);
}

TEST(Matmul, PostOperationsEqualTheReference) {
  PostOps ops;
  ops.mid = true;
  ops.mid_scale = 0.5f;
  ops.mid_bias = -1.5f;
  ops.mid_low = -20.0f;
  ops.mid_high = 100.0f;
  ops.residual_scale = 0.7f;
  ops.low = -10.0f;
  ops.high = 90.0f;
  for (char residual : {'u', 'f'}) {
    ops.residual = residual;
    CheckKinds({20, 40, 90}, ops, static_cast<unsigned>(residual));
  }
  ops.residual = 0;
  ops.bounds = true;
  Case(Shape{20, 40, 90}, true, true, Weights::kFull, ops, 3).Check();
}

TEST(Matmul, NoWeightsSaturateAnyRow) {
  const char* rows[] = {nullptr, "gemm_u8s8_avx2_6x16", "gemm_u8s8_avx2_proven_6x16", "gemm_u8s8_avx512_12x32"};
  for (Weights weights : {Weights::kFull, Weights::kBell, Weights::kEveryWay, Weights::kAlternating, Weights::kHigh,
                          Weights::kLow, Weights::kLeastUnsafe})
    for (const char* row : rows)
      for (uint32_t m : {1, 4, 13})
        for (uint32_t n : {7, 32, 75})
          for (uint32_t k : {3, 80, 206}) Case({m, k, n}, true, false, weights, PostOps{}, k).Check(row);
}

TEST(Matmul, NegativeZeroWithoutBiasIsKept) {
  MatmulParams p = {};
  p.m = p.k = p.n = p.weights_transposed = p.in_stride = p.out_stride = 1;
  p.low = -1.0f;
  p.high = 1.0f;
  const Buffer x = Buffer::F32({-1e-30f}), w = Buffer::F32({1e-30f}), absent;  // the product rounds to -0
  for (Isa isa : RunnableIsas()) {
    Buffer y(ElementType::kF32, 1);
    RunCall({&kernel_matmul, &p, {&x, &w, &absent}, {false, true}, {&y}}, isa);
    EXPECT_TRUE(std::signbit(y.as<float>()[0])) << IsaName(isa);
  }
}

TEST(Matmul, NanBecomesTheLowBound) {
  MatmulParams p = {};
  p.m = p.k = p.weights_transposed = p.in_stride = 1;
  p.n = p.out_stride = 20;
  p.low = -3.0f;
  p.high = 4.0f;
  const Buffer x = Buffer::F32({std::numeric_limits<float>::quiet_NaN()});
  const Buffer w = Buffer::F32(std::vector<float>(20, 1.0f)), absent;
  for (Isa isa : RunnableIsas()) {
    Buffer y(ElementType::kF32, 20);
    RunCall({&kernel_matmul, &p, {&x, &w, &absent}, {false, true}, {&y}}, isa);
    EXPECT_EQ(y.to_vector<float>(), std::vector<float>(20, -3.0f)) << IsaName(isa);
  }
}

TEST(Matmul, NanOfTheResidualIsZeroInU8) {
  MatmulParams p = {};
  p.m = p.k = p.weights_transposed = p.in_stride = 1;
  p.n = p.out_stride = 33;
  p.residual_scale = 1.0f;
  const std::vector<float> ones(33, 1.0f);
  std::vector<float> added(33, std::numeric_limits<float>::quiet_NaN());
  std::vector<uint8_t> expected(33, 0);
  added[1] = 1e20f, expected[1] = 255;
  added[2] = -1e20f;
  added[3] = 4e9f, expected[3] = 255;
  const Buffer x = Buffer::U8({1}), w = Buffer::I8(std::vector<int8_t>(33, 1)), absent;
  const Buffer scale = Buffer::F32(ones), residual = Buffer::F32(added);
  for (Isa isa : RunnableIsas()) {
    Buffer y(ElementType::kU8, 33);
    RunCall({&kernel_matmul, &p, {&x, &w, &absent, &scale, &residual}, {false, true, true, true}, {&y}}, isa);
    EXPECT_EQ(y.to_vector<uint8_t>(), expected) << IsaName(isa);
  }
}

bool Refused(void (*change)(MatmulParams*)) {
  Case c(Shape{4, 8, 16}, true, true, Weights::kFull, PostOps{}, 1);
  Buffer y = c.Output();
  change(&c.params());
  return !ValidateOnly(c.Spec(&y)).ok();
}

TEST(Matmul, RefusesParamsThatDoNotFitTheOperands) {
  EXPECT_FALSE(Refused([](MatmulParams*) {}));
  EXPECT_TRUE(Refused([](MatmulParams* p) { p->m = 0; }));
  EXPECT_TRUE(Refused([](MatmulParams* p) { p->m = 5; }));
  EXPECT_TRUE(Refused([](MatmulParams* p) { p->k = 9; }));
  EXPECT_TRUE(Refused([](MatmulParams* p) { p->in_stride = 7; }));
  EXPECT_TRUE(Refused([](MatmulParams* p) { p->out_stride = 17; }));
  EXPECT_TRUE(Refused([](MatmulParams* p) { p->out_offset = 1; }));
  EXPECT_TRUE(Refused([](MatmulParams* p) { p->weights_transposed = 2; }));
  EXPECT_TRUE(Refused([](MatmulParams* p) { p->mid = 2; }));
  EXPECT_TRUE(Refused([](MatmulParams* p) { p->in_zero_point = 300; }));
}

TEST(Matmul, RefusesDepthsThatMayOverflow) {
  const uint32_t k = 65794;
  MatmulParams p = {};
  p.m = p.n = p.out_stride = p.weights_transposed = 1;
  p.k = p.in_stride = k;
  const Buffer x(ElementType::kU8, k), w(ElementType::kI8, k), absent, scale = Buffer::F32({1.0f});
  Buffer y(ElementType::kU8, 1);
  CallSpec spec = {&kernel_matmul, &p, {&x, &w, &absent, &scale}, {false, true, true, true}, {&y}};
  EXPECT_EQ(ValidateOnly(spec).code(), Code::kUnsupported);
}

}  // namespace
}  // namespace lowp::test
