// Every row of the transposed convolution against its definition, bit by bit.
#include "kernels/transposed_convolution/transposed_convolution.h"

#include "compute_reference.h"

namespace lowp::test {
namespace {

using Params = TransposedConvolutionParams;

// The same along height and width, apart from the sizes.
struct Shape {
  uint32_t batch = 1, in_d = 1, in_h = 4, in_w = 5, in_c = 3, out_c = 5, kernel = 3, stride = 2, dilation = 1, pad = 0;
  uint32_t extra = 0, groups = 1, in_gap = 0, out_gap = 0, out_offset = 0, kernel_d = 1, stride_d = 1, pad_front = 0;
};

struct Kind {
  bool integer = true;
  bool u8_output = true;
  Weights weights = Weights::kFull;
};

uint32_t OutputSize(uint32_t in, uint32_t kernel, uint32_t stride, uint32_t dilation, uint32_t pad) {
  return (in - 1) * stride + (kernel - 1) * dilation + 1 - 2 * pad;
}

Params ParamsOf(const Shape& s) {
  Params p = {};
  p.batch = s.batch;
  p.in_d = s.in_d;
  p.in_h = s.in_h;
  p.in_w = s.in_w;
  p.in_c = s.in_c;
  p.in_stride = s.in_c + s.in_gap;
  p.out_d = OutputSize(s.in_d, s.kernel_d, s.stride_d, 1, s.pad_front);
  p.out_h = OutputSize(s.in_h, s.kernel, s.stride, s.dilation, s.pad) + s.extra;
  p.out_w = OutputSize(s.in_w, s.kernel, s.stride, s.dilation, s.pad) + s.extra;
  p.out_c = s.out_c;
  p.out_stride = s.out_c + s.out_gap + s.out_offset;
  p.out_offset = s.out_offset;
  p.kernel_d = s.kernel_d;
  p.kernel_h = p.kernel_w = s.kernel;
  p.stride_d = s.stride_d;
  p.stride_h = p.stride_w = s.stride;
  p.dilation_d = 1;
  p.dilation_h = p.dilation_w = s.dilation;
  p.pad_front = s.pad_front;
  p.pad_top = p.pad_left = s.pad;
  p.groups = s.groups;
  p.in_zero_point = 7;
  return p;
}

class Case {
 public:
  Case(const Shape& shape, const Kind& kind, const PostOps& ops, unsigned seed)
      : p_(ParamsOf(shape)), kind_(kind), ops_(ops) {
    std::mt19937 random(seed);
    SetPostParams(ops, &p_);
    const size_t count = size_t{p_.batch} * p_.in_d * p_.in_h * p_.in_w * p_.in_stride;
    x_ = kind.integer ? Buffer::U8(RandomBytes(random, count)) : Buffer::F32(RandomFloats(random, count, -2.0f, 2.0f));
    w_ = RandomWeights(random, kind.integer, kind.weights,
                       size_t{p_.in_c} * (p_.out_c / p_.groups) * p_.kernel_d * p_.kernel_h * p_.kernel_w);
    operands_ = RandomPostOperands(random, ops, kind.integer, Pixels(), p_.out_c);
    expected_ = Output();
    Reference();
  }

  CallSpec Spec(const Buffer* y) const {
    return {&kernel_transposed_convolution,
            &p_,
            {&x_, &w_, &operands_.bias, &operands_.scale, &operands_.residual, &operands_.bounds},
            {false, true, true, true, false, true},
            {y}};
  }

  void Check(Isa isa) const {
    Buffer y = Output();
    const std::string row = RunCall(Spec(&y), isa, 3);
    EXPECT_EQ(FirstDifference(y, expected_, SizeOf(OutputType())), -1) << row << " differs from the reference";
  }

  Params& params() { return p_; }

  Buffer Output() const {
    Buffer y(OutputType(), Pixels() * p_.out_stride);
    FillPattern(&y);
    return y;
  }

 private:
  size_t Pixels() const { return size_t{p_.batch} * p_.out_d * p_.out_h * p_.out_w; }
  ElementType OutputType() const { return kind_.integer && kind_.u8_output ? ElementType::kU8 : ElementType::kF32; }

  // The position of x that tap k of output o reads, -1 when there is none.
  static int64_t Position(int64_t o, int64_t pad, int64_t k, int64_t dilation, int64_t stride, int64_t in) {
    const int64_t at = o + pad - k * dilation;
    return at >= 0 && at % stride == 0 && at / stride < in ? at / stride : -1;
  }

  double Sum(size_t pixel, size_t n) const {
    const int64_t ox = pixel % p_.out_w, oy = pixel / p_.out_w % p_.out_h, plane = pixel / p_.out_w / p_.out_h;
    const int64_t oz = plane % p_.out_d, b = plane / p_.out_d;
    const size_t in = p_.in_c / p_.groups, out = p_.out_c / p_.groups, group = n / out;
    const int64_t taps = int64_t{p_.kernel_d} * p_.kernel_h * p_.kernel_w;
    int64_t exact = 0;
    float chain = 0.0f;
    for (int64_t tap = taps; tap-- > 0;) {
      const int64_t kz = tap / p_.kernel_w / p_.kernel_h;
      const int64_t z = Position(oz, p_.pad_front, kz, p_.dilation_d, p_.stride_d, p_.in_d);
      const int64_t ky = tap / p_.kernel_w % p_.kernel_h;
      const int64_t y = Position(oy, p_.pad_top, ky, p_.dilation_h, p_.stride_h, p_.in_h);
      const int64_t x = Position(ox, p_.pad_left, tap % p_.kernel_w, p_.dilation_w, p_.stride_w, p_.in_w);
      if (z < 0 || y < 0 || x < 0) continue;
      for (size_t c = 0; c < in; c++) {
        const size_t at = (((b * p_.in_d + z) * p_.in_h + y) * p_.in_w + x) * p_.in_stride + group * in + c;
        const size_t weight = ((group * in + c) * out + n % out) * taps + tap;
        if (kind_.integer) {
          exact += (int64_t{x_.data()[at]} - p_.in_zero_point) * w_.as<int8_t>()[weight];
        } else {
          chain = std::fma(x_.as<float>()[at], w_.as<float>()[weight], chain);
        }
      }
    }
    return kind_.integer ? static_cast<double>(exact) : static_cast<double>(chain);
  }

  void Reference() {
    for (size_t pixel = 0; pixel < Pixels(); pixel++) {
      for (size_t n = 0; n < p_.out_c; n++) {
        const float v = ReferenceValue(ops_, operands_, kind_.integer, Sum(pixel, n), pixel, n, p_.out_c);
        ReferenceStore(ops_, operands_, v, n, p_.out_c, pixel * p_.out_stride + p_.out_offset,
                       OutputType() == ElementType::kU8, &expected_);
      }
    }
  }

  Params p_;
  Kind kind_;
  PostOps ops_;
  Buffer x_, w_, expected_;
  PostOperands operands_;
};

void CheckAll(const Shape& shape, unsigned seed) {
  const Kind kinds[] = {{true, true, Weights::kFull}, {true, true, Weights::kSafe}, {true, false, Weights::kFull},
                        {false, false, Weights::kFull}};
  for (const Kind& kind : kinds) {
    PostOps fused;
    fused.residual = kind.integer && kind.u8_output ? 'u' : 'f';
    fused.residual_scale = 0.3f;
    fused.bounds = kind.integer && kind.u8_output;
    fused.low = -30.0f;
    fused.high = 60.0f;
    for (const PostOps& ops : {PostOps{}, fused}) {
      const Case c(shape, kind, ops, seed);
      for (Isa isa : RunnableIsas()) {
        c.Check(isa);
        ASSERT_FALSE(testing::Test::HasFailure())
            << IsaName(isa) << " seed " << seed << ": in " << shape.in_h << "x" << shape.in_w << "x" << shape.in_c
            << " out_c " << shape.out_c << " kernel " << shape.kernel << " stride " << shape.stride;
      }
    }
  }
}

TEST(TransposedConvolution, KernelsStridesAndPaddings) {
  for (uint32_t kernel : {1, 2, 3, 4, 5}) {
    for (uint32_t stride : {1, 2, 3, 4}) {
      for (uint32_t pad = 0; pad < kernel && pad < 3; pad++) {
        Shape s;
        s.kernel = kernel;
        s.stride = stride;
        s.pad = pad;
        CheckAll(s, kernel * 16 + stride * 4 + pad);
      }
    }
  }
}

TEST(TransposedConvolution, ChannelsAroundTiles) {
  for (uint32_t channels : {1, 8, 16, 17, 33, 64, 70}) {
    Shape s;
    s.in_c = channels;
    s.out_c = 71 - channels;
    CheckAll(s, channels);
  }
}

TEST(TransposedConvolution, DilationsGroupsBatchesAndOutputsBehindTheLastTap) {
  Shape s;
  s.dilation = 2;
  s.stride = 3;
  s.batch = 2;
  CheckAll(s, 1);
  s.extra = 4;
  CheckAll(s, 2);
  s = Shape{};
  s.groups = 3;
  s.in_c = 12;
  s.out_c = 6;
  s.pad = 1;
  CheckAll(s, 3);
  s.groups = s.in_c = s.out_c = 5;
  CheckAll(s, 4);
}

TEST(TransposedConvolution, VolumesAndStridedPixels) {
  Shape s;
  s.in_d = 3;
  s.kernel_d = 3;
  s.stride_d = 2;
  s.pad_front = 1;
  s.in_gap = 5;
  s.out_gap = 2;
  s.out_offset = 3;
  CheckAll(s, 1);
}

TEST(TransposedConvolution, LongFloatChainsAreResumedWithoutRounding) {
  Shape s;
  s.in_c = 600;
  s.out_c = 20;
  CheckAll(s, 1);
}

TEST(TransposedConvolution, LinesLongerThanABlockOfPixels) {
  Shape s;
  s.in_h = 2;
  s.in_w = 450;
  CheckAll(s, 1);
}

bool Refused(void (*change)(Params*)) {
  Case c(Shape{}, {true, true, Weights::kFull}, PostOps{}, 1);
  Buffer y = c.Output();
  change(&c.params());
  return !ValidateOnly(c.Spec(&y)).ok();
}

TEST(TransposedConvolution, RefusesParamsThatDoNotFit) {
  EXPECT_FALSE(Refused([](Params*) {}));
  EXPECT_TRUE(Refused([](Params* p) { p->batch = 2; }));
  EXPECT_TRUE(Refused([](Params* p) { p->in_h = 9; }));
  EXPECT_TRUE(Refused([](Params* p) { p->out_w = 3; }));
  EXPECT_TRUE(Refused([](Params* p) { p->out_offset = 1; }));
  EXPECT_TRUE(Refused([](Params* p) { p->stride_h = 0; }));
  EXPECT_TRUE(Refused([](Params* p) { p->groups = 2; }));
  EXPECT_TRUE(Refused([](Params* p) { p->kernel_h = 0xFFFFFFFF; }));
  EXPECT_TRUE(Refused([](Params* p) { p->pad_top = 0xFFFFFFFF; }));
  EXPECT_TRUE(Refused([](Params* p) { p->dilation_w = 0x7FFFFFFF; }));
  EXPECT_TRUE(Refused([](Params* p) { p->pad_left = 1u << 30; }));
  EXPECT_TRUE(Refused([](Params* p) { p->in_zero_point = 256; }));
  EXPECT_TRUE(Refused([](Params* p) { p->mid = 2; }));
}

// Whatever single bits of the params become, a call is refused or stays inside its buffers.
TEST(TransposedConvolution, SurvivesMutatedParams) {
  std::mt19937 random(5);
  size_t refused = 0;
  for (int round = 0; round < 1500; round++) {
    Case c(Shape{}, {round % 2 == 0, round % 2 == 0, Weights::kFull}, PostOps{}, 1);
    Buffer y = c.Output();
    uint8_t* bytes = reinterpret_cast<uint8_t*>(&c.params());
    bytes[random() % (25 * 4)] ^= 1u << random() % 8;
    if (!ValidateOnly(c.Spec(&y)).ok()) {
      refused++;
      continue;
    }
    for (Isa isa : RunnableIsas()) RunCall(c.Spec(&y), isa);
  }
  EXPECT_GT(refused, 300u);
}

}  // namespace
}  // namespace lowp::test
