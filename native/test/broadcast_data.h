// Random broadcasts of operands over four dimensions, for tests of kernels on kernels/common/broadcast.h.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>

namespace lowp::test {

// Sizes, and strides and elements of N operands, each of which repeats along some dimensions.
template <size_t N>
struct BroadcastDraw {
  uint32_t d[4], strides[N][4], elements[N];

  // `is_long`: rows are longer than a tile.
  BroadcastDraw(std::mt19937& random, bool is_long) {
    const auto up_to = [&](uint32_t most) { return static_cast<uint32_t>(1 + random() % most); };
    d[0] = up_to(3), d[1] = up_to(3), d[2] = up_to(5), d[3] = is_long ? 20000 : up_to(70);
    for (size_t operand = 0; operand < N; operand++) {
      uint32_t step = 1;
      for (int j = 3; j >= 0; j--) {
        const bool repeats = random() % 3 == 0;
        strides[operand][j] = repeats ? 0 : step;
        if (!repeats) step *= d[j];
      }
      elements[operand] = step;
    }
  }

  // Calls visit(places) for every element of the result in order; places[i] is that of operand i.
  template <class Visit>
  void ForEach(Visit visit) const {
    for (size_t i = 0; i < size_t{d[0]} * d[1] * d[2] * d[3]; i++) {
      const size_t at[4] = {i / d[3] / d[2] / d[1], i / d[3] / d[2] % d[1], i / d[3] % d[2], i % d[3]};
      size_t places[N] = {};
      for (size_t operand = 0; operand < N; operand++)
        for (size_t j = 0; j < 4; j++) places[operand] += at[j] * strides[operand][j];
      visit(places);
    }
  }

  // Sets the params from d0 on, and those from the first operand's first stride on.
  void Fill(uint32_t* d0, uint32_t* first_stride) const {
    std::copy(d, d + 4, d0);
    for (size_t operand = 0; operand < N; operand++) std::copy(strides[operand], strides[operand] + 4, first_stride + 4 * operand);
  }
};

}  // namespace lowp::test
