// Winograd's transformation of 3 x 3 weights.
#include "kernels/winograd/weights.h"

#include <algorithm>
#include <cstring>

#include "kernels/winograd/rows.h"

namespace lowp {
namespace {

struct Float {
  using Tap = float;
  using Result = float;
  static constexpr size_t kPerStep = 1;

  // G w of one column of taps.
  static void Line(float w0, float w1, float w2, float (&u)[4]) {
    const float outer = (w0 + w2) * 0.5f, inner = w1 * 0.5f;
    u[0] = w0;
    u[1] = outer + inner;
    u[2] = outer - inner;
    u[3] = w2;
  }
};

struct Integer {
  using Tap = int8_t;
  using Result = int16_t;
  static constexpr size_t kPerStep = 2;

  // 2 G w of one column of taps.
  static void Line(int16_t w0, int16_t w1, int16_t w2, int16_t (&u)[4]) {
    u[0] = static_cast<int16_t>(2 * w0);
    u[1] = static_cast<int16_t>(w0 + w1 + w2);
    u[2] = static_cast<int16_t>(w0 - w1 + w2);
    u[3] = static_cast<int16_t>(2 * w2);
  }
};

template <class Kind>
void Transform(const typename Kind::Tap (&w)[kWinogradTaps], typename Kind::Result (&u)[kWinogradProducts]) {
  typename Kind::Result columns[3][4], line[4];
  for (size_t x = 0; x < 3; x++) Kind::Line(w[x], w[3 + x], w[6 + x], columns[x]);
  for (size_t y = 0; y < 4; y++) {
    Kind::Line(columns[0][y], columns[1][y], columns[2][y], line);
    std::copy(line, line + 4, u + 4 * y);
  }
}

// Some channels of x for all columns at a time: what they write stays in the first-level cache.
template <class Kind>
void FillPanel(const WinogradTaps& taps, size_t n, size_t columns, size_t width, typename Kind::Result* out) {
  using Tap = typename Kind::Tap;
  constexpr size_t kChannels = 8;
  const size_t per = Kind::kPerStep, product = (taps.in_c + per - 1) / per * per * width;
  const uint8_t* weights = static_cast<const uint8_t*>(taps.weights);
  for (size_t first = 0; first < taps.in_c; first += kChannels) {
    const size_t last = std::min(first + kChannels, taps.in_c);
    for (size_t column = 0; column < columns; column++) {
      for (size_t c = first; c < last; c++) {
        Tap w[kWinogradTaps];
        typename Kind::Result u[kWinogradProducts];
        std::memcpy(w, weights + ((n + column) * taps.in_c + c) * sizeof(w), sizeof(w));
        Transform<Kind>(w, u);
        auto* to = out + (c / per * width + column) * per + c % per;
        for (size_t p = 0; p < kWinogradProducts; p++) to[p * product] = u[p];
      }
    }
  }
}

template <class Kind>
WinogradWeights TransformAs(const WinogradTaps& taps, const GemmRow& row) {
  WinogradWeights result;
  GemmProblem problem;
  problem.pixels = SIZE_MAX;
  problem.group_columns = taps.out_c;
  const size_t steps = kWinogradProducts * ((taps.in_c + Kind::kPerStep - 1) / Kind::kPerStep);
  result.panels = MakePanels(problem, row, steps);
  const Panel& last = result.panels.back();
  const size_t bytes = last.weights + steps * last.vectors * row.lanes * 4;
  AlignedPtr<uint8_t> u = AllocateAligned<uint8_t>(bytes);
  if (!u) return result;
  for (const Panel& panel : result.panels) {
    auto* to = reinterpret_cast<typename Kind::Result*>(u.get() + panel.weights);
    FillPanel<Kind>(taps, panel.n, panel.columns, size_t{panel.vectors} * row.lanes, to);
  }
  result.u = Share(std::move(u), bytes);
  return result;
}

}  // namespace

WinogradWeights TransformFloatWeights(const WinogradTaps& taps, const GemmRow& row) {
  return TransformAs<Float>(taps, row);
}

WinogradWeights TransformIntegerWeights(const WinogradTaps& taps, const GemmRow& row) {
  return TransformAs<Integer>(taps, row);
}

}  // namespace lowp
