// Every row of the convolution against a direct loop over taps, bit by bit.
#include "kernels/convolution/convolution.h"

#include <map>

#include "compute_reference.h"

namespace lowp::test {
namespace {

struct Shape {
  uint32_t batch = 1, in_h = 1, in_w = 1, in_c = 1, out_c = 1, kernel_h = 1, kernel_w = 1;
  uint32_t stride = 1, dilation = 1, pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0, groups = 1;
  uint32_t in_gap = 0, out_gap = 0, out_offset = 0, zero_point = 7;
  // Along the depth; stride, dilation and padding above are of height and width.
  uint32_t in_d = 1, kernel_d = 1, stride_d = 1, dilation_d = 1, pad_front = 0, pad_back = 0;
  float zero_offset = 0.0f;
};

struct Kind {
  bool integer = true;
  bool u8_output = true;
  Weights weights = Weights::kFull;
};

ConvolutionParams ParamsOf(const Shape& s) {
  ConvolutionParams p = {};
  p.batch = s.batch;
  p.in_d = s.in_d;
  p.in_h = s.in_h;
  p.in_w = s.in_w;
  p.in_c = s.in_c;
  p.in_stride = s.in_c + s.in_gap;
  p.out_d = (s.in_d + s.pad_front + s.pad_back - (s.kernel_d - 1) * s.dilation_d - 1) / s.stride_d + 1;
  p.out_h = (s.in_h + s.pad_top + s.pad_bottom - (s.kernel_h - 1) * s.dilation - 1) / s.stride + 1;
  p.out_w = (s.in_w + s.pad_left + s.pad_right - (s.kernel_w - 1) * s.dilation - 1) / s.stride + 1;
  p.out_c = s.out_c;
  p.out_stride = s.out_c + s.out_gap + s.out_offset;
  p.out_offset = s.out_offset;
  p.kernel_d = s.kernel_d;
  p.kernel_h = s.kernel_h;
  p.kernel_w = s.kernel_w;
  p.stride_d = s.stride_d;
  p.dilation_d = s.dilation_d;
  p.pad_front = s.pad_front;
  p.stride_h = p.stride_w = s.stride;
  p.dilation_h = p.dilation_w = s.dilation;
  p.pad_top = s.pad_top;
  p.pad_left = s.pad_left;
  p.groups = s.groups;
  p.in_zero_point = s.zero_point;
  p.in_zero_offset = s.zero_offset;
  return p;
}

// One call with its data and what it must give.
class Case {
 public:
  Case(const Shape& shape, const Kind& kind, const PostOps& ops, unsigned seed, bool corner_x = false)
      : p_(ParamsOf(shape)), kind_(kind), ops_(ops) {
    std::mt19937 random(seed);
    SetPostParams(ops, &p_);
    const size_t count = size_t{p_.batch} * p_.in_d * p_.in_h * p_.in_w * p_.in_stride;
    x_ = kind.integer ? Buffer::U8(RandomBytes(random, count, corner_x ? 255 : 0))
                      : Buffer::F32(RandomFloats(random, count, -2.0f, 2.0f));
    if (!kind.integer) PoisonGaps();
    w_ = RandomWeights(random, kind.integer, kind.weights,
                       size_t{p_.out_c} * (p_.in_c / p_.groups) * p_.kernel_d * p_.kernel_h * p_.kernel_w);
    operands_ = RandomPostOperands(random, ops, kind.integer, Pixels(), p_.out_c);
    expected_ = Output();
    Reference();
  }

  CallSpec Spec(const Buffer* y) const {
    return {&kernel_convolution,
            &p_,
            {&x_, &w_, &operands_.bias, &operands_.scale, &operands_.residual, &operands_.bounds},
            {false, true, true, true, false, true},
            {y}};
  }

  // Runs on `isa`, expects the reference's bits, returns the row's name.
  std::string Check(Isa isa) const {
    Buffer y = Output();
    const std::string row = RunCall(Spec(&y), isa, 3);
    EXPECT_EQ(FirstDifference(y, expected_, SizeOf(OutputType())), -1) << row << " differs from the reference";
    return row;
  }

  ConvolutionParams& params() { return p_; }
  Buffer Output() const {
    Buffer y(OutputType(), Pixels() * p_.out_stride);
    FillPattern(&y);
    return y;
  }

 private:
  size_t Pixels() const { return size_t{p_.batch} * p_.out_d * p_.out_h * p_.out_w; }
  ElementType OutputType() const { return kind_.integer && kind_.u8_output ? ElementType::kU8 : ElementType::kF32; }

  // What lies between the channels of two pixels must not matter, not even as NaN.
  void PoisonGaps() {
    for (size_t i = 0; i < x_.bytes() / 4; i++)
      if (i % p_.in_stride >= p_.in_c) x_.as<float>()[i] = std::numeric_limits<float>::quiet_NaN();
  }

  // Also adds up the weights of taps outside of the input.
  double Sum(size_t pixel, size_t n, int64_t* outside) const {
    const size_t ox = pixel % p_.out_w, oy = pixel / p_.out_w % p_.out_h, plane = pixel / p_.out_w / p_.out_h;
    const size_t oz = plane % p_.out_d, b = plane / p_.out_d, kernel_rows = size_t{p_.kernel_d} * p_.kernel_h;
    const size_t channels = p_.in_c / p_.groups, group = n / (p_.out_c / p_.groups);
    int64_t exact = 0;
    float chain = 0.0f;
    for (size_t row = 0; row < kernel_rows; row++) {
      for (size_t kx = 0; kx < p_.kernel_w; kx++) {
        const int64_t z = int64_t(oz * p_.stride_d + row / p_.kernel_h * p_.dilation_d) - p_.pad_front;
        const int64_t y = int64_t(oy * p_.stride_h + row % p_.kernel_h * p_.dilation_h) - p_.pad_top;
        const int64_t x = int64_t(ox * p_.stride_w + kx * p_.dilation_w) - p_.pad_left;
        const bool inside = z >= 0 && z < p_.in_d && y >= 0 && y < p_.in_h && x >= 0 && x < p_.in_w;
        for (size_t c = 0; c < channels; c++) {
          const size_t at = (((b * p_.in_d + z) * p_.in_h + y) * p_.in_w + x) * p_.in_stride + group * channels + c;
          const size_t weight = ((n * channels + c) * kernel_rows + row) * p_.kernel_w + kx;
          if (!inside) {
            if (kind_.integer) *outside += w_.as<int8_t>()[weight];
          } else if (kind_.integer) {
            exact += (int64_t{x_.data()[at]} - p_.in_zero_point) * w_.as<int8_t>()[weight];
          } else {
            chain = std::fma(x_.as<float>()[at], w_.as<float>()[weight], chain);
          }
        }
      }
    }
    return kind_.integer ? static_cast<double>(exact) : static_cast<double>(chain);
  }

  // Makes the bias that of an output whose taps outside have weights of that sum; returns what it was.
  float MoveBias(size_t n, int64_t outside) {
    if (!ops_.bias) return 0.0f;
    float& bias = operands_.bias.as<float>()[n];
    const float given = bias;
    if (p_.in_zero_offset != 0.0f) {
      const double unit = double{operands_.scale.as<float>()[n]} * double{p_.in_zero_offset};
      bias = static_cast<float>(double{given} + unit * static_cast<double>(outside));
    }
    return given;
  }

  void Reference() {
    for (size_t pixel = 0; pixel < Pixels(); pixel++) {
      for (size_t n = 0; n < p_.out_c; n++) {
        int64_t outside = 0;
        const double sum = Sum(pixel, n, &outside);
        const float bias = MoveBias(n, outside);
        const float v = ReferenceValue(ops_, operands_, kind_.integer, sum, pixel, n, p_.out_c);
        if (ops_.bias) operands_.bias.as<float>()[n] = bias;
        ReferenceStore(ops_, operands_, v, n, p_.out_c, pixel * p_.out_stride + p_.out_offset,
                       OutputType() == ElementType::kU8, &expected_);
      }
    }
  }

  ConvolutionParams p_;
  Kind kind_;
  PostOps ops_;
  Buffer x_, w_, expected_;
  PostOperands operands_;
};

PostOps EverythingFor(bool integer, bool u8) {
  PostOps ops;
  ops.mid = true;
  ops.mid_scale = integer ? 0.75f : 0.125f;
  ops.mid_bias = 3.25f;
  ops.mid_low = -12.0f;
  ops.mid_high = 200.0f;
  ops.residual = u8 ? 'u' : 'f';
  ops.residual_scale = 0.3f;
  ops.bounds = u8;
  ops.low = -30.0f;
  ops.high = 60.0f;
  return ops;
}

void CheckAll(const Shape& shape, unsigned seed) {
  const Kind kinds[] = {{true, true, Weights::kFull},
                        {true, true, Weights::kSafe},
                        {true, false, Weights::kFull},
                        {true, false, Weights::kSafe},
                        {false, false, Weights::kFull}};
  for (const Kind& kind : kinds) {
    for (const PostOps& ops : {PostOps{}, EverythingFor(kind.integer, kind.integer && kind.u8_output)}) {
      const Case c(shape, kind, ops, seed);
      for (Isa isa : RunnableIsas()) {
        c.Check(isa);
        ASSERT_FALSE(testing::Test::HasFailure())
            << IsaName(isa) << " seed " << seed << ": in " << shape.in_h << "x" << shape.in_w << "x" << shape.in_c
            << " out_c " << shape.out_c << " kernel " << shape.kernel_h << "x" << shape.kernel_w;
      }
    }
  }
}

Shape Square(uint32_t size, uint32_t in_c, uint32_t out_c, uint32_t kernel, uint32_t pad) {
  Shape s;
  s.in_h = s.in_w = size;
  s.in_c = in_c;
  s.out_c = out_c;
  s.kernel_h = s.kernel_w = kernel;
  s.pad_top = s.pad_left = s.pad_bottom = s.pad_right = pad;
  return s;
}

TEST(Convolution, OneByOneEqualsTheReferenceForSizesAroundTiles) {
  for (uint32_t out_c : {1, 7, 8, 9, 15, 16, 17, 31, 33, 48, 63, 64, 65, 80, 100, 129})
    for (uint32_t in_c : {1, 3, 4, 5, 16, 37}) CheckAll(Square(5, in_c, out_c, 1, 0), out_c * 64 + in_c);
}

TEST(Convolution, EveryNumberOfPixelsIsRight) {
  for (uint32_t width = 1; width <= 30; width++) {
    Shape s = Square(1, 9, 70, 1, 0);
    s.in_w = width;
    CheckAll(s, width);
  }
}

TEST(Convolution, PaddedThreeByThreeEqualsTheReference) {
  for (uint32_t in_c : {1, 2, 3, 4, 8, 13, 64}) CheckAll(Square(7, in_c, 20, 3, 1), in_c);
}

TEST(Convolution, UnpaddedKernelsReadTheInputInPlace) { CheckAll(Square(8, 6, 17, 3, 0), 1); }

TEST(Convolution, StrideTwoAndUnevenPadding) {
  Shape s = Square(11, 3, 40, 7, 3);
  s.stride = 2;
  CheckAll(s, 1);
  s = Square(9, 5, 12, 3, 0);
  s.stride = 2;
  s.pad_bottom = s.pad_right = 1;
  CheckAll(s, 2);
}

TEST(Convolution, DilationTwo) {
  Shape s = Square(9, 5, 18, 3, 2);
  s.dilation = 2;
  CheckAll(s, 1);
  s.pad_top = s.pad_left = s.pad_bottom = s.pad_right = 0;
  CheckAll(s, 2);
}

TEST(Convolution, PaddingLargerThanTheInput) {
  Shape s = Square(2, 3, 5, 3, 6);
  CheckAll(s, 1);
}

TEST(Convolution, GapsBetweenInputPixelsDoNotMatter) {
  for (uint32_t kernel : {1, 3}) {
    for (uint32_t pad : {0, 1}) {
      Shape s = Square(6, 3, 21, kernel, pad);
      s.in_gap = 1;
      CheckAll(s, kernel * 2 + pad);
      s.in_gap = 13;
      CheckAll(s, kernel * 2 + pad + 100);
    }
  }
}

TEST(Convolution, WritesOnlyItsChannelsOfTheOutput) {
  Shape s = Square(5, 8, 37, 3, 1);
  s.out_gap = 11;
  s.out_offset = 5;
  CheckAll(s, 1);
}

TEST(Convolution, GroupsAreSeparate) {
  for (uint32_t groups : {2, 3, 12}) {
    Shape s = Square(5, 12, 24, 3, 1);
    s.groups = groups;
    CheckAll(s, groups);
  }
  Shape one = Square(4, 20, 140, 1, 0);
  one.groups = 2;
  CheckAll(one, 77);
}

TEST(Convolution, BatchesAndManyBlocksOfPixels) {
  Shape s = Square(13, 4, 9, 3, 1);
  s.batch = 3;
  CheckAll(s, 1);
}

// A cube of the kernel's size along each axis, padded as much on every side.
Shape Cube(uint32_t size, uint32_t in_c, uint32_t out_c, uint32_t kernel, uint32_t pad) {
  Shape s = Square(size, in_c, out_c, kernel, pad);
  s.in_d = size;
  s.kernel_d = kernel;
  s.pad_front = s.pad_back = pad;
  return s;
}

TEST(Convolution, VolumesEqualTheReference) {
  for (uint32_t in_c : {1, 3, 4, 17}) CheckAll(Cube(4, in_c, 21, 3, 1), in_c);
  CheckAll(Cube(5, 6, 17, 3, 0), 50);
  Shape s = Cube(7, 5, 20, 3, 2);
  s.dilation = s.dilation_d = 2;
  s.batch = 2;
  CheckAll(s, 51);
  s = Cube(7, 8, 12, 3, 1);
  s.stride = s.stride_d = 2;
  s.groups = 2;
  CheckAll(s, 52);
  s = Cube(3, 4, 9, 1, 0);
  CheckAll(s, 53);
  s = Square(5, 4, 9, 3, 1);  // each axis differs
  s.in_d = 6;
  s.kernel_d = 2;
  s.stride_d = 3;
  s.pad_back = 2;
  s.in_gap = 3;
  CheckAll(s, 54);
}

TEST(Convolution, DepthwiseVolumesAreGroups) {
  Shape s = Cube(4, 5, 5, 3, 1);
  s.groups = 5;
  CheckAll(s, 1);
}

TEST(Convolution, RealZeroBesideAByteCountsOnlyWhereTapsAreInside) {
  std::vector<Shape> shapes = {Square(7, 5, 20, 3, 1), Square(11, 3, 40, 7, 3), Square(2, 3, 5, 3, 6),
                               Square(30, 16, 33, 3, 1), Square(8, 6, 17, 3, 0), Cube(4, 3, 9, 3, 1)};
  shapes[1].stride = 2;
  shapes.push_back(Square(9, 12, 24, 3, 2));
  shapes.back().dilation = 2;
  shapes.back().groups = 3;
  shapes.push_back(Square(9, 5, 12, 3, 0));
  shapes.back().pad_bottom = shapes.back().pad_right = 1;
  shapes.back().batch = 2;
  shapes.back().out_gap = 7, shapes.back().out_offset = 3;
  for (Shape& s : shapes) {
    for (float offset : {0.05f, -0.4f}) {
      s.zero_offset = offset;
      for (bool u8 : {true, false}) {
        for (const PostOps& ops : {PostOps{}, EverythingFor(true, u8)}) {
          const Case c(s, {true, u8, Weights::kFull}, ops, s.in_c);
          for (Isa isa : RunnableIsas()) c.Check(isa);
        }
      }
    }
  }
}

TEST(Convolution, RealZeroMoreThanHalfAStepBesideItsByteIsRefused) {
  Shape s = Square(5, 3, 4, 3, 1);
  s.zero_offset = 0.25f;
  Case c(s, {true, true, Weights::kFull}, PostOps{}, 1);
  Buffer y = c.Output();
  EXPECT_TRUE(ValidateOnly(c.Spec(&y)).ok());
  for (float offset : {0.75f, -0.75f, std::numeric_limits<float>::quiet_NaN()}) {
    c.params().in_zero_offset = offset;
    EXPECT_FALSE(ValidateOnly(c.Spec(&y)).ok()) << offset;
  }
}

TEST(Convolution, LongFloatChainsAreResumedWithoutRounding) {
  CheckAll(Square(3, 300, 70, 3, 1), 1);
  CheckAll(Square(3, 1000, 5, 1, 0), 2);
}

TEST(Convolution, WeightsBeyondTheCacheAreSplitByPanels) {
  const Case c(Square(4, 1100, 600, 1, 0), {true, true, Weights::kFull}, PostOps{}, 5);
  for (Isa isa : RunnableIsas()) c.Check(isa);
}

TEST(Convolution, CornersOfTheIntegerRangeDoNotSaturate) {
  PostOps ops;
  ops.scale = 1e-3f;
  for (Weights weights : {Weights::kLow, Weights::kHigh, Weights::kSafe, Weights::kLeastUnsafe, Weights::kBell,
                          Weights::kAlternating, Weights::kEveryWay}) {
    for (uint32_t zero_point : {0, 128, 255}) {
      Shape s = Square(3, 66, 33, 3, 1);
      s.zero_point = zero_point;
      const Case c(s, {true, false, weights}, ops, zero_point, true);
      for (Isa isa : RunnableIsas()) c.Check(isa);
    }
  }
}

TEST(Convolution, ThreeByThreeOfManyChannelsEqualsTheReference) {
  for (uint32_t in_c : {24, 33}) CheckAll(Square(8, in_c, 17, 3, 1), in_c);
  for (uint32_t out_c : {8, 15, 16, 40, 65, 130}) CheckAll(Square(8, 25, out_c, 3, 1), out_c);
  for (unsigned pads = 0; pads < 81; pads += 7) {
    Shape s = Square(9, 24, 9, 3, 0);
    s.in_w = 10;
    s.pad_top = pads % 3;
    s.pad_left = pads / 3 % 3;
    s.pad_bottom = pads / 9 % 3;
    s.pad_right = pads / 27;
    CheckAll(s, pads);
  }
  Shape s = Square(21, 26, 24, 3, 1);
  s.batch = 3;
  s.in_gap = 5;
  s.out_gap = 3;
  s.out_offset = 2;
  CheckAll(s, 1);
}

// Sums of windows of 1824 channels come close to 2^31.
TEST(Convolution, ThreeByThreeOfTheMostChannelsDoesNotOverflow) {
  for (Weights weights : {Weights::kLow, Weights::kHigh, Weights::kAlternating}) {
    Shape s = Square(8, 1824, 8, 3, 1);
    s.zero_point = 0;
    const Case c(s, {true, false, weights}, PostOps{}, 1, true);
    for (Isa isa : RunnableIsas()) c.Check(isa);
  }
}

TEST(Convolution, ValuesBeyondInt32SaturateToU8) {
  PostOps ops;
  ops.scale = 1e9f;
  const Case c(Square(4, 40, 70, 1, 0), {true, true, Weights::kFull}, ops, 1);
  for (Isa isa : RunnableIsas()) c.Check(isa);
}

TEST(Convolution, ResidualMayBeTheOutput) {
  PostOps ops;
  ops.residual = 'u';
  ops.residual_scale = 0.5f;
  for (uint32_t offset : {0, 16}) {
    Shape s = Square(4, 8, 64, 1, 0);
    s.out_offset = offset;
    const Case c(s, {true, true, Weights::kFull}, ops, 1);
    Buffer y = c.Output();
    const CallSpec spec = c.Spec(&y);
    std::vector<Operand> ins, outs;
    CallView view;
    ASSERT_TRUE(Validate(spec, &ins, &outs, &view).ok());
    Result<PreparedPtr> prepared = kernel_convolution.prepare(view, PrepareContext{});
    ASSERT_TRUE(prepared.ok());
    EXPECT_EQ(prepared.value()->inplace_input, offset == 0 ? 4 : -1);
  }
}

// Rows that load tiles of 16 pixels by one distance meet lines and planes that end within a tile, or have narrower tiles,
// and of very deep products finish one block while they compute the next.
TEST(Convolution, DeepProductsWhoseLinesEndWithinTiles) {
  std::mt19937 random(5);
  const auto draw = [&](uint32_t least, uint32_t most) { return least + static_cast<uint32_t>(random() % (most - least + 1)); };
  for (unsigned i = 0; i < 120; i++) {
    Shape s;
    s.batch = draw(1, i % 3 == 0 ? 3 : 1);
    s.in_h = draw(1, 9), s.in_w = draw(1, 40), s.in_d = i % 5 == 0 ? draw(1, 4) : 1;
    s.in_c = draw(16, 70), s.out_c = draw(1, i % 4 == 0 ? 150 : 40);
    s.kernel_h = draw(1, std::min(3u, s.in_h)), s.kernel_w = draw(1, std::min(5u, s.in_w));
    s.kernel_d = draw(1, std::min(2u, s.in_d));
    s.stride = draw(1, 2), s.stride_d = draw(1, 2);
    s.pad_top = draw(0, 1), s.pad_left = draw(0, 2), s.pad_bottom = draw(0, 1), s.pad_right = draw(0, 2);
    if (i % 10 == 9) s.in_h = 5, s.in_w = draw(12, 19), s.in_c = 256, s.kernel_h = s.kernel_w = 3, s.out_c += 30;
    s.in_gap = draw(0, 1) * draw(0, 9), s.out_gap = draw(0, 1) * draw(0, 9);
    for (const PostOps& ops : {PostOps{}, EverythingFor(true, i % 2 == 0)}) {
      const Case c(s, {true, i % 2 == 0, Weights::kFull}, ops, i, i % 7 == 0);
      for (Isa isa : RunnableIsas()) c.Check(isa);
      ASSERT_FALSE(testing::Test::HasFailure()) << "case " << i;
    }
  }
}

constexpr Kind kFloats = {false, false, Weights::kFull};
bool IsShallow(const std::string& row) { return row.rfind("shallow", 0) == 0; }

// Widths and numbers of products are those that every row of the room takes.
TEST(Convolution, FewProductsGoLineByLine) {
  std::mt19937 random(11);
  const auto draw = [&](uint32_t low, uint32_t high) { return low + random() % (high - low + 1); };
  for (uint32_t i = 0; i < 250; i++) {
    Shape s;
    s.batch = draw(1, 3);
    s.in_h = draw(1, 9), s.in_w = draw(18, 60);
    s.in_c = draw(1, 4), s.out_c = draw(1, i % 3 == 0 ? 70 : 20);
    s.kernel_h = draw(1, std::min(3u, s.in_h)), s.kernel_w = draw(1, 5), s.stride = draw(1, 2);
    s.pad_top = draw(0, 2), s.pad_left = draw(0, 2), s.pad_bottom = draw(0, 2), s.pad_right = draw(0, 2);
    // Without padding, pixels that are not side by side are left to other rows.
    s.in_gap = s.kernel_w == 1 || s.pad_left + s.pad_top > 0 ? draw(0, 1) * draw(0, 9) : 0;
    s.out_gap = draw(0, 1) * draw(0, 9), s.out_offset = draw(0, 1) * draw(0, 3);
    for (const PostOps& ops : {PostOps{}, EverythingFor(false, false)}) {
      const Case c(s, kFloats, ops, i);
      for (Isa isa : RunnableIsas()) EXPECT_EQ(IsShallow(c.Check(isa)), isa != Isa::kScalar);
      ASSERT_FALSE(testing::Test::HasFailure()) << "case " << i;
    }
  }
}

TEST(Convolution, LinesThatAreReadTwiceLieApart) {
  Shape s = Square(20, 3, 17, 3, 3);
  s.dilation = 3, s.kernel_w = 1, s.pad_left = s.pad_right = 0;
  const Case c(s, kFloats, PostOps{}, 5);
  for (Isa isa : RunnableIsas()) EXPECT_EQ(IsShallow(c.Check(isa)), isa != Isa::kScalar);
}

TEST(Convolution, ManyPixelsOfFewChannelsAreCutIntoNearlyEqualParts) {
  for (uint32_t width : {8u, 383u, 384u, 385u, 391u, 1000u}) {
    Shape s = Square(1, 4, 33, 1, 0);
    s.in_w = width;
    const Case c(s, kFloats, EverythingFor(false, false), width);
    for (Isa isa : RunnableIsas()) EXPECT_EQ(IsShallow(c.Check(isa)), isa != Isa::kScalar);
  }
}

TEST(Convolution, OtherFloatsAreLeftToTheGemmRoom) {
  std::vector<Shape> shapes = {Square(9, 64, 16, 3, 1), Square(3, 3, 16, 3, 1), Cube(9, 2, 16, 3, 1)};
  Shape s = Square(12, 4, 16, 3, 1);
  s.groups = 2, shapes.push_back(s);
  s = Square(12, 4, 16, 3, 0);
  s.in_gap = 1, shapes.push_back(s);
  s = Square(16, 4, 16, 3, 2);
  s.dilation = 2, shapes.push_back(s);
  for (const Shape& shape : shapes)
    for (Isa isa : RunnableIsas()) EXPECT_FALSE(IsShallow(Case(shape, kFloats, PostOps{}, 1).Check(isa)));
}

TEST(Convolution, RowsOfBothRoomsCanBeForced) {
  const Case c(Square(12, 3, 16, 3, 1), kFloats, PostOps{}, 1);
  Buffer y = c.Output();
  for (Isa isa : RunnableIsas()) {
    EXPECT_EQ(RunCall(c.Spec(&y), isa, 3, "gemm_f32_scalar_1x8"), "gemm_f32_scalar_1x8");
    if (!Includes(isa, Isa::kAvx2)) continue;
    for (const char* row : {"gemm_f32_avx2_6x16", "shallow_f32_avx2_6x16"})
      EXPECT_EQ(RunCall(c.Spec(&y), isa, 3, row), row);
  }
}

TEST(Convolution, ChoosesTheBestRowOfTheIsa) {
  const Shape s = Square(4, 8, 16, 1, 0);
  std::map<Isa, std::vector<std::string>> rows = {
      {Isa::kScalar, {"gemm_u8s8_scalar_1x8", "gemm_u8s8_scalar_1x8", "gemm_f32_scalar_1x8"}},
      {Isa::kAvx2, {"gemm_u8s8_avx2_proven_6x16", "gemm_u8s8_avx2_proven_6x16", "shallow_f32_avx2_6x16"}},
      {Isa::kAvxVnni, {"gemm_u8s8_avxvnni_6x16", "gemm_u8s8_avxvnni_6x16", "shallow_f32_avx2_6x16"}},
      {Isa::kAvx512, {"gemm_u8s8_avx512_proven_12x32", "gemm_u8s8_avx512_proven_12x32", "shallow_f32_avx512_13x32"}},
      {Isa::kVnni, {"gemm_u8s8_vnni_6x64", "gemm_u8s8_vnni_6x64", "shallow_f32_avx512_13x32"}},
      {Isa::kAmx, {"gemm_u8s8_vnni_6x64", "gemm_u8s8_vnni_6x64", "shallow_f32_avx512_13x32"}}};
  for (Isa isa : RunnableIsas()) {
    EXPECT_EQ(Case(s, {true, true, Weights::kFull}, PostOps{}, 1).Check(isa), rows[isa][0]);
    EXPECT_EQ(Case(s, {true, true, Weights::kSafe}, PostOps{}, 1).Check(isa), rows[isa][1]);
    EXPECT_EQ(Case(s, {false, false, Weights::kFull}, PostOps{}, 1).Check(isa), rows[isa][2]);
  }
  rows[Isa::kAmx] = {"gemm_u8s8_amx_32x64", "gemm_u8s8_amx_32x64", "shallow_f32_avx512_13x32"};
  for (Isa isa : RunnableIsas())
    EXPECT_EQ(Case(Square(4, 48, 16, 1, 0), {true, true, Weights::kFull}, PostOps{}, 1).Check(isa), rows[isa][0]);
}

// Changes one parameter of a good call and returns whether it is refused.
bool Refused(void (*change)(ConvolutionParams*)) {
  Case c(Square(6, 4, 8, 3, 1), {true, true, Weights::kFull}, PostOps{}, 1);
  Buffer y = c.Output();
  change(&c.params());
  return !ValidateOnly(c.Spec(&y)).ok();
}

TEST(Convolution, RefusesParamsThatDoNotFitTheOperands) {
  EXPECT_FALSE(Refused([](ConvolutionParams*) {}));
  EXPECT_TRUE(Refused([](ConvolutionParams* p) { p->batch = 0; }));
  EXPECT_TRUE(Refused([](ConvolutionParams* p) { p->batch = 2; }));
  EXPECT_TRUE(Refused([](ConvolutionParams* p) { p->in_h = 7; }));
  EXPECT_TRUE(Refused([](ConvolutionParams* p) { p->in_d = 2; }));
  EXPECT_TRUE(Refused([](ConvolutionParams* p) { p->out_d = 0; }));
  EXPECT_TRUE(Refused([](ConvolutionParams* p) { p->dilation_d = 0; }));
  EXPECT_TRUE(Refused([](ConvolutionParams* p) { p->in_stride = 3; }));
  EXPECT_TRUE(Refused([](ConvolutionParams* p) { p->out_h = 5; }));
  EXPECT_TRUE(Refused([](ConvolutionParams* p) { p->out_offset = 1; }));
  EXPECT_TRUE(Refused([](ConvolutionParams* p) { p->out_offset = 0xFFFFFFFF; }));
  EXPECT_TRUE(Refused([](ConvolutionParams* p) { p->groups = 3; }));
  EXPECT_TRUE(Refused([](ConvolutionParams* p) { p->groups = 2; }));
  EXPECT_TRUE(Refused([](ConvolutionParams* p) { p->stride_h = 0xFFFFFFFF; }));
  EXPECT_TRUE(Refused([](ConvolutionParams* p) { p->dilation_w = 0xFFFFFFF0; }));
  EXPECT_TRUE(Refused([](ConvolutionParams* p) { p->in_zero_point = 256; }));
  EXPECT_TRUE(Refused([](ConvolutionParams* p) { p->mid = 2; }));
}

TEST(Convolution, RefusesOperandsOfOtherTypesAndSizes) {
  Case c(Square(6, 4, 8, 3, 1), {true, true, Weights::kFull}, PostOps{}, 1);
  Buffer y = c.Output();
  Buffer wrong(ElementType::kF32, 3), absent, i32(ElementType::kI32, 8 * 36);
  for (size_t input : {1, 2, 3, 4, 5}) {
    CallSpec spec = c.Spec(&y);
    spec.inputs[input] = &wrong;
    EXPECT_FALSE(ValidateOnly(spec).ok()) << input;
  }
  CallSpec spec = c.Spec(&y);
  spec.inputs[3] = &absent;
  EXPECT_FALSE(ValidateOnly(spec).ok());
  spec = c.Spec(&i32);
  EXPECT_EQ(ValidateOnly(spec).code(), Code::kUnsupported);
  spec = c.Spec(&y);
  spec.constant[1] = false;
  EXPECT_FALSE(ValidateOnly(spec).ok());
}

}  // namespace
}  // namespace lowp::test
