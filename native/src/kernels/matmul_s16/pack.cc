// Proof and packing of the weights of `matmul_s16`.
#include "kernels/matmul_s16/pack.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace lowp {
namespace {

// Which of a step's two elements a block multiplies.
enum Elements : uint8_t { kFirst = 1, kSecond = 2, kBoth = 3 };

struct Cut {
  std::vector<S16Block> blocks;
  std::vector<Elements> elements;  // by block

  void Add(uint32_t first, uint32_t steps, Elements which) {
    if (steps == 0) return;
    blocks.push_back({first, steps});
    elements.push_back(which);
  }
};

// 0 behind the last product.
int16_t WeightAt(const S16Weights& w, size_t n, size_t j) {
  int16_t value = 0;
  if (j < w.k)
    std::memcpy(&value, static_cast<const uint8_t*>(w.data) + (n * w.stride_n + j * w.stride_k) * sizeof(value),
                sizeof(value));
  return value;
}

uint32_t Magnitude(const S16Weights& w, size_t n, size_t j) {
  return static_cast<uint32_t>(std::abs(int32_t{WeightAt(w, n, j)}));
}

// Appends the blocks of a panel: each as long as its proof holds.
void CutPanel(const S16Weights& w, const S16Panel& panel, Cut* cut) {
  const uint32_t steps = static_cast<uint32_t>((w.k + 1) / 2);
  std::vector<uint32_t> sums(panel.columns, 0), step(panel.columns, 0);
  uint32_t first = 0;
  for (uint32_t s = 0; s < steps; s++) {
    uint32_t largest = 0, largest_sum = 0;
    for (size_t c = 0; c < panel.columns; c++) {
      step[c] = Magnitude(w, panel.n + c, 2 * s) + Magnitude(w, panel.n + c, 2 * s + 1);
      largest = std::max(largest, step[c]);
      largest_sum = std::max(largest_sum, sums[c] + step[c]);
    }
    if (largest_sum > kMostBlockMagnitude) {
      cut->Add(first, s - first, kBoth);
      first = s;
      std::fill(sums.begin(), sums.end(), 0);
    }
    if (largest > kMostBlockMagnitude) {
      cut->Add(s, 1, kFirst);
      cut->Add(s, 1, kSecond);
      first = s + 1;
      continue;
    }
    for (size_t c = 0; c < panel.columns; c++) sums[c] += step[c];
  }
  cut->Add(first, steps - first, kBoth);
}

// Writes a block of a panel; returns the end of what it wrote. Channels that do not exist keep their zeros.
int16_t* PackBlock(const S16Weights& w, const S16Panel& panel, size_t width, const S16Block& block, Elements which,
                   int16_t* out) {
  for (size_t s = block.first; s < size_t{block.first} + block.steps; s++, out += width * 2)
    for (size_t c = 0; c < panel.columns; c++) {
      if (which & kFirst) out[c * 2] = WeightAt(w, panel.n + c, 2 * s);
      if (which & kSecond) out[c * 2 + 1] = WeightAt(w, panel.n + c, 2 * s + 1);
    }
  return out;
}

// Panels of nearly equal width.
std::vector<S16Panel> MakePanels(size_t n, uint32_t lanes, uint32_t most_vectors) {
  const size_t units = (n + lanes - 1) / lanes, count = (units + most_vectors - 1) / most_vectors;
  std::vector<S16Panel> panels(count);
  size_t column = 0;
  for (size_t i = 0; i < count; i++) {
    panels[i].vectors = static_cast<uint32_t>(units / count + (i < units % count ? 1 : 0));
    panels[i].n = column;
    panels[i].columns = std::min<size_t>(size_t{panels[i].vectors} * lanes, n - column);
    column += panels[i].columns;
  }
  return panels;
}

}  // namespace

Result<PackedS16> PackS16(const S16Weights& weights, uint32_t lanes, uint32_t most_vectors) {
  PackedS16 packed;
  packed.panels = MakePanels(weights.n, lanes, most_vectors);
  Cut cut;
  size_t elements = 0;
  for (S16Panel& panel : packed.panels) {
    panel.weights = elements;
    panel.first_block = cut.blocks.size();
    CutPanel(weights, panel, &cut);
    panel.blocks = cut.blocks.size() - panel.first_block;
    size_t steps = 0;
    for (size_t b = 0; b < panel.blocks; b++) steps += cut.blocks[panel.first_block + b].steps;
    elements += (steps * panel.vectors * lanes * 2 + 31) & ~size_t{31};  // 64 bytes
  }
  packed.blocks = std::move(cut.blocks);
  AlignedPtr<int16_t> packed_weights = AllocateAligned<int16_t>(elements);
  if (!packed_weights) return Status(Code::kMemory, "no memory for the packed weights of matmul_s16");
  packed.bytes = elements * sizeof(int16_t) + packed.blocks.size() * sizeof(S16Block);
  for (const S16Panel& panel : packed.panels) {
    int16_t* out = packed_weights.get() + panel.weights;
    for (size_t b = panel.first_block; b < panel.first_block + panel.blocks; b++)
      out = PackBlock(weights, panel, size_t{panel.vectors} * lanes, packed.blocks[b], cut.elements[b], out);
  }
  packed.weights = Share(std::move(packed_weights), elements);
  return Result<PackedS16>(std::move(packed));
}

}  // namespace lowp
