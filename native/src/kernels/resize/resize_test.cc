// Tests of `resize`: against the definition in the documented order, on every row.
#include "kernels/resize/resize.h"

#include <cmath>

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

struct Case {
  ResizeParams p;
  Buffer x, rows, columns, row_weights, column_weights;
};

Buffer Positions(uint32_t out, uint32_t taps, uint32_t in, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<int32_t> values(size_t{out} * taps);
  for (int32_t& v : values) v = static_cast<int32_t>(random() % in);
  return Buffer::Of(ElementType::kI32, values);
}

Case Make(uint32_t channels, uint32_t row_taps, uint32_t column_taps, unsigned seed, bool specials = false) {
  Case c;
  c.p = {2, 4, 5, channels, 7, 6, row_taps, column_taps, channels + seed % 3, seed % 3 > 0 ? 1u : 0u};
  c.x = Buffer::F32(RandomFloats(size_t{2} * 4 * 5 * channels, seed, -3.0f, 5.0f, specials));
  c.rows = Positions(7, row_taps, 4, seed + 1);
  c.columns = Positions(6, column_taps, 5, seed + 2);
  if (row_taps > 1) c.row_weights = Buffer::F32(RandomFloats(size_t{7} * row_taps, seed + 3, -0.5f, 1.0f));
  if (column_taps > 1) c.column_weights = Buffer::F32(RandomFloats(size_t{6} * column_taps, seed + 4, -0.5f, 1.0f));
  return c;
}

CallSpec Spec(const Case& c, const Buffer& y) {
  return {&kernel_resize,
          &c.p,
          {&c.x, &c.rows, &c.columns, &c.row_weights, &c.column_weights},
          {false, true, true, true, true},
          {&y}};
}

template <class T>
std::vector<T> Compute(const Case& c, ElementType type, Isa isa) {
  Buffer y(type, size_t{c.p.batch} * c.p.out_height * c.p.out_width * c.p.out_stride);
  std::memset(y.data(), 0x3c, y.bytes());
  RunCall(Spec(c, y), isa);
  return y.to_vector<T>();
}

// The lines of resize.h, one element at a time. What is not written keeps the bytes 0x3c.
template <class T, class Blend>
std::vector<T> Expected(const Case& c, Blend blend) {
  const ResizeParams& p = c.p;
  std::vector<T> y(size_t{p.batch} * p.out_height * p.out_width * p.out_stride);
  std::memset(y.data(), 0x3c, y.size() * sizeof(T));
  for (size_t n = 0; n < p.batch; n++)
    for (size_t h = 0; h < p.out_height; h++)
      for (size_t w = 0; w < p.out_width; w++)
        for (size_t channel = 0; channel < p.channels; channel++) {
          const auto at = [&](size_t column) {
            return blend(c.row_weights, h, p.row_taps, [&](size_t k) {
              const size_t line = n * p.in_height + static_cast<size_t>(c.rows.as<int32_t>()[h * p.row_taps + k]);
              return c.x.as<T>()[(line * p.in_width + column) * p.channels + channel];
            });
          };
          y[((n * p.out_height + h) * p.out_width + w) * p.out_stride + p.out_offset + channel] =
              blend(c.column_weights, w, p.column_taps, [&](size_t k) {
                return at(static_cast<size_t>(c.columns.as<int32_t>()[w * p.column_taps + k]));
              });
        }
  return y;
}

struct BlendFloats {
  template <class At>
  float operator()(const Buffer& weights, size_t output, size_t taps, At at) const {
    if (taps == 1) return at(0);
    const float* w = weights.as<float>() + output * taps;
    float sum = w[0] * at(0);
    for (size_t k = 1; k < taps; k++) sum = std::fma(w[k], at(k), sum);
    return sum;
  }
};

struct TakeBytes {
  template <class At>
  uint8_t operator()(const Buffer&, size_t, size_t, At at) const {
    return at(0);
  }
};

TEST(Resize, BlendsInTheDocumentedOrderOnEveryRow) {
  for (uint32_t channels : {1u, 3u, 7u, 8u, 9u, 16u, 17u, 31u, 64u, 70u})
    for (uint32_t row_taps : {1u, 2u, 4u})
      for (uint32_t column_taps : {1u, 2u, 3u}) {
        const Case c = Make(channels, row_taps, column_taps, channels + row_taps, channels % 2 == 1);
        const std::vector<float> expected = Expected<float>(c, BlendFloats());
        for (Isa isa : RunnableIsas())
          ASSERT_TRUE(SameFloats(expected, Compute<float>(c, ElementType::kF32, isa)))
              << IsaName(isa) << " channels " << channels << " taps " << row_taps << ", " << column_taps;
      }
}

TEST(Resize, MovesBytes) {
  for (uint32_t channels : {1u, 3u, 16u, 33u}) {
    Case c = Make(channels, 1, 1, channels);
    c.x = Buffer::U8(RandomBytes(size_t{2} * 4 * 5 * channels, channels));
    const std::vector<uint8_t> expected = Expected<uint8_t>(c, TakeBytes());
    for (Isa isa : RunnableIsas()) ASSERT_EQ(expected, Compute<uint8_t>(c, ElementType::kU8, isa)) << IsaName(isa);
  }
}

TEST(Resize, RefusesBadCalls) {
  const auto refuses = [](const Case& c, const Buffer& y, std::vector<bool> constant) {
    CallSpec spec = Spec(c, y);
    spec.constant = constant;
    return !ValidateOnly(spec).ok();
  };
  const std::vector<bool> all = {false, true, true, true, true};
  const Case good = Make(3, 2, 2, 3);
  const Buffer y(ElementType::kF32, 2 * 7 * 6 * 3), bytes(ElementType::kU8, 2 * 7 * 6 * 3);
  EXPECT_FALSE(refuses(good, y, all));
  EXPECT_TRUE(refuses(good, bytes, all));
  EXPECT_TRUE(refuses(good, good.x, all));
  for (size_t i = 1; i < 5; i++) {
    std::vector<bool> constant = all;
    constant[i] = false;
    EXPECT_TRUE(refuses(good, y, constant)) << i;
  }
  Case c = Make(3, 2, 2, 3);
  c.rows.as<int32_t>()[13] = 4;
  EXPECT_TRUE(refuses(c, y, all));
  c.rows.as<int32_t>()[13] = -1;
  EXPECT_TRUE(refuses(c, y, all));
  c = Make(3, 2, 2, 3);
  c.columns.as<int32_t>()[0] = 5;
  EXPECT_TRUE(refuses(c, y, all));
  c = Make(3, 2, 2, 3);
  c.row_weights = Buffer();
  EXPECT_TRUE(refuses(c, y, all));
  c = Make(3, 1, 1, 3);
  c.column_weights = Buffer::F32(std::vector<float>(6, 1.0f));
  EXPECT_TRUE(refuses(c, y, all));
  c = Make(3, 2, 1, 3);
  c.x = Buffer::U8(std::vector<uint8_t>(120));
  EXPECT_TRUE(refuses(c, bytes, all));
  for (uint32_t ResizeParams::*field : {&ResizeParams::batch, &ResizeParams::in_height, &ResizeParams::in_width,
                                        &ResizeParams::channels, &ResizeParams::out_height, &ResizeParams::out_width,
                                        &ResizeParams::row_taps, &ResizeParams::column_taps})
    for (uint32_t value : {0u, UINT32_MAX}) {
      c = Make(3, 2, 2, 3);
      c.p.*field = value;
      EXPECT_TRUE(refuses(c, y, all));
    }
  c = Make(3, 2, 2, 3);
  c.p.out_offset = 1;
  EXPECT_TRUE(refuses(c, y, all));
}

}  // namespace
}  // namespace lowp::test
