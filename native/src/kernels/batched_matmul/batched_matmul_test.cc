// Every row of the batched product against a plain loop, bit by bit.
#include "kernels/batched_matmul/batched_matmul.h"

#include "compute_reference.h"

namespace lowp::test {
namespace {

enum class Kind { kFloat, kFloatToBytes, kBytesToFloat, kBytes };

bool ReadsFloats(Kind kind) { return kind == Kind::kFloat || kind == Kind::kFloatToBytes; }
bool StoresBytes(Kind kind) { return kind == Kind::kFloatToBytes || kind == Kind::kBytes; }

struct Shape {
  uint32_t batch0 = 1, batch1 = 1, m = 1, k = 1, n = 1;
  bool b_transposed = false;
  uint32_t a_zero = 0, b_zero = 128;
  char residual = 0;  // 'u' u8, 'f' f32
  bool residual_row = false;  // one row for all
  uint32_t gap = 0;           // between rows, in front of the first element
  bool shared_b = false;      // one b for all of batch1
};

class Case {
 public:
  Case(const Shape& s, Kind kind, unsigned seed) : s_(s), kind_(kind) {
    std::mt19937 random(seed);
    p_ = {};
    p_.batch0 = s.batch0, p_.batch1 = s.batch1, p_.m = s.m, p_.k = s.k, p_.n = s.n;
    p_.a_offset = p_.b_offset = p_.y_offset = s.gap;
    p_.a_row = s.k + s.gap, p_.a_batch1 = p_.a_row * s.m, p_.a_batch0 = p_.a_batch1 * s.batch1;
    const uint32_t outer = s.b_transposed ? s.n : s.k, inner = s.b_transposed ? s.k : s.n;
    p_.b_k = s.b_transposed ? 1 : inner + s.gap, p_.b_n = s.b_transposed ? inner + s.gap : 1;
    const uint32_t matrix = outer * (inner + s.gap);
    p_.b_batch1 = s.shared_b ? 0 : matrix, p_.b_batch0 = s.shared_b ? matrix : matrix * s.batch1;
    p_.y_row = s.n + s.gap, p_.y_batch1 = p_.y_row * s.m, p_.y_batch0 = p_.y_batch1 * s.batch1;
    p_.residual_row = s.residual_row ? 0 : s.n;
    p_.residual_batch1 = s.residual_row ? 0 : s.n * s.m;
    p_.residual_batch0 = s.residual_row ? s.n : p_.residual_batch1 * s.batch1;
    p_.a_zero_point = s.a_zero, p_.b_zero_point = s.b_zero;
    p_.alpha = kind == Kind::kFloat ? 0.3f : kind == Kind::kFloatToBytes ? 20.0f : 1.0f;
    p_.scale = kind == Kind::kBytes ? 0.004f : 0.01f;
    p_.bias = kind == Kind::kFloat ? 0.0f : kind == Kind::kFloatToBytes ? 120.0f : 1.25f;
    p_.residual_scale = 0.7f;
    p_.byte_low = 3, p_.byte_high = 250;
    p_.low = -5.0f, p_.high = 6.0f;
    const auto operand = [&](size_t count) {
      return ReadsFloats(kind) ? Buffer::F32(RandomFloats(random, count, -1.0f, 1.0f))
                                  : Buffer::U8(RandomBytes(random, count));
    };
    a_ = operand(s.gap + size_t{p_.a_batch0} * s.batch0);
    b_ = operand(s.gap + size_t{p_.b_batch0} * s.batch0);
    const size_t residuals = size_t{p_.residual_batch0} * s.batch0;
    if (s.residual == 'u') residual_ = Buffer::U8(RandomBytes(random, residuals));
    if (s.residual == 'f') residual_ = Buffer::F32(RandomFloats(random, residuals, -3.0f, 3.0f));
    expected_ = Output();
    Reference();
  }

  CallSpec Spec(const Buffer* y) const { return {&kernel_batched_matmul, &p_, {&a_, &b_, &residual_}, {}, {y}}; }

  void Check() const {
    for (Isa isa : RunnableIsas()) {
      Buffer y = Output();
      const std::string row = RunCall(Spec(&y), isa, 5);
      ASSERT_EQ(FirstDifference(y, expected_, StoresBytes(kind_) ? 1 : 4), -1)
          << row << " m " << s_.m << " k " << s_.k << " n " << s_.n << " transposed " << s_.b_transposed << " zero points "
          << s_.a_zero << ' ' << s_.b_zero;
    }
  }

  BatchedMatmulParams& params() { return p_; }
  const BatchedMatmulParams& params() const { return p_; }

  Buffer Output() const {
    Buffer y(StoresBytes(kind_) ? ElementType::kU8 : ElementType::kF32, s_.gap + size_t{p_.y_batch0} * s_.batch0);
    FillPattern(&y);
    return y;
  }

 private:
  float Residual(size_t at) const {
    return s_.residual == 'u' ? static_cast<float>(residual_.data()[at]) : residual_.as<float>()[at];
  }

  float Sum(size_t a, size_t b) const {
    int64_t exact = 0;
    float chain = 0.0f;
    for (size_t j = 0; j < p_.k; j++, a++, b += p_.b_k) {
      if (ReadsFloats(kind_)) {
        chain = std::fma(a_.as<float>()[a], b_.as<float>()[b] * p_.alpha, chain);
      } else {
        exact += (int64_t{a_.data()[a]} - p_.a_zero_point) * (int64_t{b_.data()[b]} - p_.b_zero_point);
      }
    }
    return ReadsFloats(kind_) ? chain + p_.bias : std::fma(static_cast<float>(exact), p_.scale, p_.bias);
  }

  void Reference() {
    for (size_t p = 0; p < p_.batch0; p++)
      for (size_t q = 0; q < p_.batch1; q++)
        for (size_t i = 0; i < p_.m; i++)
          for (size_t n = 0; n < p_.n; n++) {
            float v = Sum(p_.a_offset + p * p_.a_batch0 + q * p_.a_batch1 + i * p_.a_row,
                          p_.b_offset + p * p_.b_batch0 + q * p_.b_batch1 + n * p_.b_n);
            if (s_.residual)
              v = std::fma(Residual(p * p_.residual_batch0 + q * p_.residual_batch1 + i * p_.residual_row + n),
                           p_.residual_scale, v);
            const size_t at = p_.y_offset + p * p_.y_batch0 + q * p_.y_batch1 + i * p_.y_row + n;
            if (StoresBytes(kind_)) {
              const float limited = std::min(std::max(std::nearbyint(v), 0.0f), 255.0f);
              expected_.data()[at] = std::min(std::max(static_cast<uint8_t>(limited), uint8_t{3}), uint8_t{250});
            } else {
              expected_.as<float>()[at] = std::min(std::max(v, p_.low), p_.high);
            }
          }
  }

  Shape s_;
  Kind kind_;
  BatchedMatmulParams p_;
  Buffer a_, b_, residual_, expected_;
};

void CheckKinds(const Shape& s, unsigned seed) {
  for (Kind kind : {Kind::kFloat, Kind::kFloatToBytes, Kind::kBytesToFloat, Kind::kBytes}) Case(s, kind, seed).Check();
}

TEST(BatchedMatmul, SmallSizesEqualTheReference) {
  for (bool transposed : {false, true})
    for (uint32_t m : {1, 2, 6, 13})
      for (uint32_t n : {1, 7, 8, 16, 33, 65})
        for (uint32_t k : {1, 3, 4, 31, 32, 70}) {
          Shape s{1, 1, m, k, n, transposed};
          CheckKinds(s, m * 10000 + n * 100 + k);
        }
}

TEST(BatchedMatmul, BatchesAndZeroPoints) {
  for (uint32_t b_zero : {0, 7, 128, 255})
    for (uint32_t a_zero : {0, 128, 255})
      for (bool transposed : {false, true}) {
        Shape s{2, 3, 9, 37, 20, transposed, a_zero, b_zero};
        CheckKinds(s, a_zero + b_zero);
      }
}

TEST(BatchedMatmul, ResidualsOfAllForms) {
  for (char residual : {'u', 'f'})
    for (bool row : {false, true}) {
      Shape s{2, 2, 7, 12, 19, true, 128, 128, residual, row};
      CheckKinds(s, row);
    }
}

TEST(BatchedMatmul, StridesOffsetsAndASharedMatrix) {
  for (bool transposed : {false, true}) {
    Shape s{2, 3, 5, 18, 11, transposed, 5, 9, 'f', false, 13};
    CheckKinds(s, 1);
    s.shared_b = true;
    CheckKinds(s, 2);
  }
}

// Many batches pack inside the tile, few in a phase of their own; deep sums are suspended; many rows make blocks.
TEST(BatchedMatmul, WaysOfWork) {
  Case(Shape{1, 1, 400, 40, 24}, Kind::kFloat, 1).Check();
  Case(Shape{1, 1, 400, 40, 24, true, 12, 200}, Kind::kBytes, 2).Check();
  Case(Shape{1, 2, 5, 700, 40}, Kind::kFloat, 3).Check();
  Case(Shape{5, 2, 5, 600, 24, true}, Kind::kFloat, 4).Check();
  Case(Shape{1, 1, 3, 2000, 40, true, 255, 0}, Kind::kBytesToFloat, 5).Check();
}

TEST(BatchedMatmul, ExtremesDoNotOverflow) {
  const uint32_t k = kMostBatchedProducts;
  BatchedMatmulParams p = {};
  p.batch0 = p.batch1 = p.m = 1, p.k = k, p.n = 2;
  p.a_row = k, p.b_k = 1, p.b_n = k, p.y_row = 2;
  p.scale = 1.0f, p.low = -INFINITY, p.high = INFINITY;
  for (uint8_t a : {0, 255})
    for (uint8_t b : {0, 255})
      for (uint32_t zero : {0, 255}) {
        p.a_zero_point = zero, p.b_zero_point = 255 - zero;
        const Buffer ab = Buffer::U8(std::vector<uint8_t>(k, a)), bb = Buffer::U8(std::vector<uint8_t>(2 * k, b));
        const int64_t exact = int64_t{k} * (a - static_cast<int64_t>(zero)) * (b - static_cast<int64_t>(255 - zero));
        for (Isa isa : RunnableIsas()) {
          Buffer y(ElementType::kF32, 2), absent;
          RunCall({&kernel_batched_matmul, &p, {&ab, &bb, &absent}, {}, {&y}}, isa);
          EXPECT_EQ(y.as<float>()[1], static_cast<float>(exact));
        }
      }
}

TEST(BatchedMatmul, RefusesBadCalls) {
  Shape s{2, 2, 4, 8, 6, true};
  Case c(s, Kind::kBytes, 1);
  Buffer y = c.Output();
  const BatchedMatmulParams good = c.params();
  EXPECT_TRUE(ValidateOnly(c.Spec(&y)).ok());
  const auto refused = [&](auto change) {
    c.params() = good;
    change(c.params());
    const bool ok = ValidateOnly(c.Spec(&y)).ok();
    c.params() = good;
    return !ok;
  };
  EXPECT_TRUE(refused([](BatchedMatmulParams& p) { p.m = 0; }));
  EXPECT_TRUE(refused([](BatchedMatmulParams& p) { p.a_offset = 1; }));
  EXPECT_TRUE(refused([](BatchedMatmulParams& p) { p.b_batch0++; }));
  EXPECT_TRUE(refused([](BatchedMatmulParams& p) { p.b_k = 2; }));
  EXPECT_TRUE(refused([](BatchedMatmulParams& p) { p.y_row = 5; }));
  EXPECT_TRUE(refused([](BatchedMatmulParams& p) { p.y_batch1 = 0; }));
  EXPECT_TRUE(refused([](BatchedMatmulParams& p) { p.b_zero_point = 256; }));
  EXPECT_TRUE(refused([](BatchedMatmulParams& p) { p.byte_high = 256; }));
  EXPECT_TRUE(refused([](BatchedMatmulParams& p) { p.k = p.m = p.n = p.batch0 = UINT32_MAX; }));
  Buffer wrong(ElementType::kI8, y.bytes());
  EXPECT_FALSE(ValidateOnly(c.Spec(&wrong)).ok());
}

}  // namespace
}  // namespace lowp::test
