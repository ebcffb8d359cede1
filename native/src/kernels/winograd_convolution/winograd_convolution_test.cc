// Every row of the Winograd convolution against its formula, bit by bit, and against the sum over taps in double.
#include "kernels/winograd_convolution/winograd_convolution.h"

#include "compute_reference.h"
#include "kernels/winograd/shape.h"
#include "kernels/winograd/split.h"

namespace lowp::test {
namespace {

struct Shape {
  uint32_t batch = 1, in_h = 1, in_w = 1, in_c = 1, out_c = 1;
  uint32_t pad_top = 1, pad_left = 1, pad_bottom = 1, pad_right = 1;
  uint32_t in_gap = 0, out_gap = 0, out_offset = 0;
};

Shape Square(uint32_t size, uint32_t in_c, uint32_t out_c) {
  Shape s;
  s.in_h = s.in_w = size;
  s.in_c = in_c;
  s.out_c = out_c;
  return s;
}

WinogradConvolutionParams ParamsOf(const Shape& s) {
  WinogradConvolutionParams p = {};
  p.batch = s.batch;
  p.in_h = s.in_h;
  p.in_w = s.in_w;
  p.in_c = s.in_c;
  p.in_stride = s.in_c + s.in_gap;
  p.out_h = s.in_h + s.pad_top + s.pad_bottom - 2;
  p.out_w = s.in_w + s.pad_left + s.pad_right - 2;
  p.out_c = s.out_c;
  p.out_stride = s.out_c + s.out_gap + s.out_offset;
  p.out_offset = s.out_offset;
  p.pad_top = s.pad_top;
  p.pad_left = s.pad_left;
  return p;
}

using Square4 = float[4][4];

// The four outputs of a tile by the formulas of winograd_convolution.h.
class Formula {
 public:
  Formula(const WinogradConvolutionParams& p, const Buffer& x, const Buffer& w) : p_(p), x_(x), w_(w) {}

  float X(size_t image, int64_t y, int64_t x, size_t c) const {
    if (y < 0 || x < 0 || y >= p_.in_h || x >= p_.in_w) return 0.0f;
    return x_.as<float>()[((image * p_.in_h + static_cast<size_t>(y)) * p_.in_w + static_cast<size_t>(x)) *
                              p_.in_stride + c];
  }
  float W(size_t n, size_t c, size_t tap) const { return w_.as<float>()[(n * p_.in_c + c) * 9 + tap]; }

  void Tile(size_t image, size_t ty, size_t tx, size_t n, float (&y)[2][2]) const {
    Square4 m = {};
    for (size_t c = 0; c < p_.in_c; c++) {
      Square4 v, u;
      Window(image, ty, tx, c, v);
      Weights(n, c, u);
      for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) m[i][j] = std::fma(v[i][j], u[i][j], m[i][j]);
    }
    float half[2][4];
    for (int j = 0; j < 4; j++) {
      half[0][j] = (m[0][j] + m[1][j]) + m[2][j];
      half[1][j] = (m[1][j] - m[2][j]) - m[3][j];
    }
    for (int i = 0; i < 2; i++) {
      y[i][0] = (half[i][0] + half[i][1]) + half[i][2];
      y[i][1] = (half[i][1] - half[i][2]) - half[i][3];
    }
  }

  double Direct(size_t image, size_t oy, size_t ox, size_t n) const {
    double sum = 0;
    for (size_t tap = 0; tap < 9; tap++) {
      const int64_t y = int64_t(oy + tap / 3) - p_.pad_top, x = int64_t(ox + tap % 3) - p_.pad_left;
      for (size_t c = 0; c < p_.in_c; c++) sum += double{X(image, y, x, c)} * W(n, c, tap);
    }
    return sum;
  }

 private:
  void Window(size_t image, size_t ty, size_t tx, size_t c, Square4& v) const {
    Square4 d;
    for (int i = 0; i < 4; i++)
      for (int j = 0; j < 4; j++) d[i][j] = X(image, int64_t(2 * ty) + i - p_.pad_top, int64_t(2 * tx) + j - p_.pad_left, c);
    Square4 half;
    for (int j = 0; j < 4; j++) {
      half[0][j] = d[0][j] - d[2][j];
      half[1][j] = d[1][j] + d[2][j];
      half[2][j] = d[2][j] - d[1][j];
      half[3][j] = d[1][j] - d[3][j];
    }
    for (int i = 0; i < 4; i++) {
      v[i][0] = half[i][0] - half[i][2];
      v[i][1] = half[i][1] + half[i][2];
      v[i][2] = half[i][2] - half[i][1];
      v[i][3] = half[i][1] - half[i][3];
    }
  }

  void Taps(float w0, float w1, float w2, float (&u)[4]) const {
    const float outer = (w0 + w2) * 0.5f, inner = w1 * 0.5f;
    u[0] = w0;
    u[1] = outer + inner;
    u[2] = outer - inner;
    u[3] = w2;
  }

  void Weights(size_t n, size_t c, Square4& u) const {
    float columns[3][4];
    for (size_t j = 0; j < 3; j++) Taps(W(n, c, j), W(n, c, 3 + j), W(n, c, 6 + j), columns[j]);
    for (int i = 0; i < 4; i++) Taps(columns[0][i], columns[1][i], columns[2][i], u[i]);
  }

  const WinogradConvolutionParams& p_;
  const Buffer& x_;
  const Buffer& w_;
};

class Case {
 public:
  Case(const Shape& shape, const PostOps& ops, unsigned seed) : p_(ParamsOf(shape)), ops_(ops) {
    std::mt19937 random(seed);
    SetPostParams(ops, &p_);
    x_ = Buffer::F32(RandomFloats(random, size_t{p_.batch} * p_.in_h * p_.in_w * p_.in_stride, -2.0f, 2.0f));
    for (size_t i = 0; i < x_.bytes() / 4; i++)
      if (i % p_.in_stride >= p_.in_c) x_.as<float>()[i] = std::numeric_limits<float>::quiet_NaN();
    w_ = Buffer::F32(RandomFloats(random, size_t{p_.out_c} * p_.in_c * 9, -1.0f, 1.0f));
    operands_ = RandomPostOperands(random, ops, false, Pixels(), p_.out_c);
    expected_ = Output();
    Reference();
  }

  CallSpec Spec(const Buffer* y) const {
    return {&kernel_winograd_convolution,
            &p_,
            {&x_, &w_, &operands_.bias, &operands_.scale, &operands_.residual, &operands_.bounds},
            {false, true, true, true, false, true},
            {y}};
  }

  Buffer Run(Isa isa, unsigned seed) const {
    Buffer y = Output();
    RunCall(Spec(&y), isa, seed);
    return y;
  }

  // Large and small caches, which cut the work differently.
  void Check(Isa isa) const {
    for (unsigned seed : {3u, 4u}) EXPECT_EQ(FirstDifference(Run(isa, seed), expected_, 4), -1) << IsaName(isa);
  }

  void CheckNearTaps(Isa isa) const {
    const Buffer y = Run(isa, 3);
    const Formula formula(p_, x_, w_);
    for (size_t pixel = 0; pixel < Pixels(); pixel++) {
      const size_t ox = pixel % p_.out_w, oy = pixel / p_.out_w % p_.out_h, image = pixel / p_.out_w / p_.out_h;
      for (size_t n = 0; n < p_.out_c; n++) {
        // |v| <= 8, |u| <= 9 / 4: rounding in_c products of 18 and 9 sums of them.
        const double limit = 9.0 * 18.0 * p_.in_c * (p_.in_c + 8.0) * 0x1p-24;
        EXPECT_NEAR(y.as<float>()[pixel * p_.out_stride + p_.out_offset + n], formula.Direct(image, oy, ox, n), limit);
      }
    }
  }

  WinogradConvolutionParams& params() { return p_; }
  Buffer Output() const {
    Buffer y(ElementType::kF32, Pixels() * p_.out_stride);
    FillPattern(&y);
    return y;
  }

 private:
  size_t Pixels() const { return size_t{p_.batch} * p_.out_h * p_.out_w; }

  void Reference() {
    const Formula formula(p_, x_, w_);
    for (size_t image = 0; image < p_.batch; image++)
      for (size_t ty = 0; 2 * ty < p_.out_h; ty++)
        for (size_t tx = 0; 2 * tx < p_.out_w; tx++)
          for (size_t n = 0; n < p_.out_c; n++) StoreTile(formula, image, ty, tx, n);
  }

  void StoreTile(const Formula& formula, size_t image, size_t ty, size_t tx, size_t n) {
    float sums[2][2];
    formula.Tile(image, ty, tx, n, sums);
    for (size_t i = 0; i < 2; i++) {
      for (size_t j = 0; j < 2; j++) {
        const size_t y = 2 * ty + i, x = 2 * tx + j;
        if (y >= p_.out_h || x >= p_.out_w) continue;
        const size_t pixel = (image * p_.out_h + y) * p_.out_w + x;
        const float v = ReferenceValue(ops_, operands_, false, double{sums[i][j]}, pixel, n, p_.out_c);
        ReferenceStore(ops_, operands_, v, n, p_.out_c, pixel * p_.out_stride + p_.out_offset, false, &expected_);
      }
    }
  }

  WinogradConvolutionParams p_;
  PostOps ops_;
  Buffer x_, w_, expected_;
  PostOperands operands_;
};

PostOps Everything() {
  PostOps ops;
  ops.mid = true;
  ops.mid_scale = 0.125f;
  ops.mid_bias = 3.25f;
  ops.mid_low = -12.0f;
  ops.mid_high = 200.0f;
  ops.residual = 'f';
  ops.residual_scale = 0.3f;
  ops.low = -30.0f;
  ops.high = 60.0f;
  return ops;
}

PostOps Nothing() {
  PostOps ops;
  ops.bias = false;
  return ops;
}

void CheckAll(const Shape& shape, unsigned seed) {
  for (const PostOps& ops : {PostOps{}, Nothing(), Everything()}) {
    const Case c(shape, ops, seed);
    for (Isa isa : RunnableIsas()) {
      c.Check(isa);
      ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed << ": in " << shape.in_h << "x" << shape.in_w << "x"
                                                << shape.in_c << " out_c " << shape.out_c;
    }
  }
}

TEST(WinogradConvolution, EqualsItsFormulaForChannelsAroundVectors) {
  for (uint32_t in_c : {1, 3, 8, 15, 16, 17, 33}) CheckAll(Square(5, in_c, 17), in_c);
  for (uint32_t out_c : {1, 7, 8, 16, 63, 65, 130}) CheckAll(Square(5, 9, out_c), out_c);
}

TEST(WinogradConvolution, EqualsItsFormulaForAllSizesAroundATile) {
  for (uint32_t h = 1; h <= 6; h++) {
    for (uint32_t w = 1; w <= 6; w++) {
      Shape s = Square(h, 5, 9);
      s.in_w = w;
      CheckAll(s, h * 8 + w);
    }
  }
}

TEST(WinogradConvolution, PaddingOfEverySideIsItsOwn) {
  for (unsigned bits = 0; bits < 81; bits += 2) {
    Shape s = Square(4, 4, 6);
    s.pad_top = bits % 3;
    s.pad_left = bits / 3 % 3;
    s.pad_bottom = bits / 9 % 3;
    s.pad_right = bits / 27;
    CheckAll(s, bits);
  }
}

TEST(WinogradConvolution, ManyTilesAndImagesAreCutIntoBlocks) {
  Shape s = Square(30, 8, 20);
  s.batch = 3;
  CheckAll(s, 1);
  CheckAll(Square(9, 140, 150), 2);  // weights that outweigh the tiles
}

TEST(WinogradConvolution, GapsBetweenPixelsDoNotMatterAndAreNotWritten) {
  Shape s = Square(6, 7, 21);
  s.in_gap = 3;
  s.out_gap = 11;
  s.out_offset = 5;
  CheckAll(s, 1);
}

TEST(WinogradConvolution, IsNearTheSumOverTaps) {
  for (uint32_t in_c : {1, 16, 64}) {
    const Case c(Square(8, in_c, 8), Nothing(), in_c);
    for (Isa isa : RunnableIsas()) c.CheckNearTaps(isa);
  }
}

TEST(WinogradConvolution, MayWriteOverItsResidual) {
  Case c(Square(7, 6, 19), Everything(), 5);
  Buffer y = c.Output();
  std::vector<Operand> ins, outs;
  CallView view;
  ASSERT_TRUE(Validate(c.Spec(&y), &ins, &outs, &view).ok());
  PrepareContext context;
  EXPECT_EQ(kernel_winograd_convolution.prepare(view, context).value()->inplace_input, 4);
  c.params().out_stride++;
  Buffer wide = c.Output();
  ins.clear();
  outs.clear();
  ASSERT_TRUE(Validate(c.Spec(&wide), &ins, &outs, &view).ok());
  EXPECT_EQ(kernel_winograd_convolution.prepare(view, context).value()->inplace_input, -1);
}

TEST(WinogradConvolution, RefusesWhatItCannotDo) {
  const auto refused = [](void (*change)(WinogradConvolutionParams*)) {
    Case c(Square(4, 4, 4), PostOps{}, 1);
    const Buffer y = c.Output();
    change(&c.params());
    return !ValidateOnly(c.Spec(&y)).ok();
  };
  EXPECT_FALSE(refused([](WinogradConvolutionParams*) {}));
  EXPECT_TRUE(refused([](WinogradConvolutionParams* p) { p->pad_top = 3; }));
  EXPECT_TRUE(refused([](WinogradConvolutionParams* p) { p->out_h = 6; }));
  EXPECT_TRUE(refused([](WinogradConvolutionParams* p) { p->in_c = 0; }));
  EXPECT_TRUE(refused([](WinogradConvolutionParams* p) { p->in_stride = 3; }));
  EXPECT_TRUE(refused([](WinogradConvolutionParams* p) { p->in_c = 5; }));
  EXPECT_TRUE(refused([](WinogradConvolutionParams* p) { p->mid = 2; }));
  EXPECT_TRUE(refused([](WinogradConvolutionParams* p) { p->batch = p->in_h = p->in_w = p->out_h = p->out_w = UINT32_MAX; }));
}

TEST(WinogradShape, WholeLinesOfTilesAreLinesOfElements) {
  WinogradShape s = WinogradShape::Of(ParamsOf(Square(5, 4, 2)));  // 3 lines of 3 tiles, 5 lines of 10 elements
  s.batch = 2;
  const auto elements = [&](size_t begin, size_t end) { return s.ElementsOf({begin, end}); };
  EXPECT_EQ(elements(0, 2).end, 0u);
  EXPECT_EQ(elements(0, 3).end, 20u);
  EXPECT_EQ(elements(1, 8).begin, 20u);
  EXPECT_EQ(elements(1, 8).end, 40u);
  EXPECT_EQ(elements(0, 9).end, 50u);
  EXPECT_EQ(elements(9, 18).begin, 50u);
  EXPECT_EQ(elements(9, 18).end, 100u);
  s.out_stride = 3;
  EXPECT_EQ(elements(0, 9).end, 0u);
}

TEST(WinogradSplit, ThreadsShareTheWeightsWhereTheseOutweighTheTiles) {
  const WinogradSplit deep = SplitWinograd({49, 256, 256, 64, 2, 2 << 20});
  EXPECT_TRUE(deep.together);
  EXPECT_EQ(deep.tiles(), 8u);
  EXPECT_FALSE(SplitWinograd({49, 256, 256, 64, 1, 2 << 20}).together);
  const WinogradSplit wide = SplitWinograd({784, 64, 64, 64, 2, 2 << 20});
  EXPECT_FALSE(wide.together);
  EXPECT_EQ(wide.blocks % 2, 0u);
}

TEST(WinogradSplit, BlocksHoldAllTilesAndProductsLieAnOddNumberOfLinesApart) {
  for (size_t tiles : {1, 2, 47, 48, 49, 500, 12345}) {
    for (size_t threads : {1, 2, 3, 8}) {
      const WinogradSplit s = SplitWinograd({tiles, 96, 40, 64, threads, 1 << 20});
      EXPECT_GE(s.block * s.blocks, tiles);
      EXPECT_LT(s.block * (s.blocks - 1), tiles);
      EXPECT_EQ(s.product_pitch % 32, 16u);
      EXPECT_EQ(s.m_pitch % 32, 16u);
      EXPECT_EQ(s.pitch % 32, 16u);
    }
  }
}

}  // namespace
}  // namespace lowp::test
