// The products of a Winograd convolution, of floats or of integers: blocks of tiles, panels of output channels, and the
// 16 products of each. Everything is counted in steps of 4 bytes, as in the gemm room.
#pragma once
#include <algorithm>

#include "kernels/kernel.h"
#include "kernels/winograd/rows.h"
#include "kernels/winograd/split.h"
#include "kernels/winograd/weights.h"

namespace lowp {

class WinogradProducts {
 public:
  // `steps` are those of a pixel. The weights are those of `row`.
  WinogradProducts(size_t tiles, size_t steps, size_t out_c, const GemmRow& row, WinogradWeights weights,
                   const PrepareContext& context)
      : tiles_(tiles),
        steps_(steps),
        row_(&row),
        split_(SplitWinograd({tiles, steps, out_c, size_t{row.lanes} * row.most_vectors, context.threads,
                              context.l2_bytes})),
        weights_(std::move(weights)) {}
  WinogradProducts() = default;

  const WinogradSplit& split() const { return split_; }
  // Elements of m from tile to tile.
  size_t WidthOf(const Panel& panel) const { return size_t{panel.vectors} * row_->lanes; }

  // Phases, tiles and memory of the call. Phases: where all windows are transformed before the first product, those;
  // then the products and the results.
  void Describe(PreparedCall* call) const;

  // Tiles of output pixels that tiles [begin, end) of the last phase complete for all channels.
  IndexRange Completes(size_t begin, size_t end) const {
    if (split_.together) return {};
    return {begin * split_.block, std::min(end * split_.block, tiles_)};
  }

  // transform(first, count, v) puts the windows of tiles [first, first + count) to v of tile `first`; then
  // store(panel, first, count, m) is called for each panel.
  template <class Transform, class Store>
  void Run(const RunContext& context, size_t phase, size_t begin, size_t end, Transform transform, Store store) const {
    if (split_.together && phase == 0) {
      transform(begin, end - begin, context.shared + begin * split_.pitch * 4);
      return;
    }
    const uint8_t** rows = reinterpret_cast<const uint8_t**>(context.scratch);
    uint8_t *const m = context.scratch + split_.table_bytes(), *const own_v = m + split_.m_bytes();
    for (size_t tile = begin; tile < end; tile++) {
      const size_t block = tile / split_.groups, group = tile % split_.groups;
      const size_t first = block * split_.block, count = std::min(split_.block, tiles_ - first);
      if (!split_.together) transform(first, count, own_v);
      const uint8_t* v = split_.together ? context.shared + first * split_.pitch * 4 : own_v;
      for (size_t i = 0; i < count; i++) rows[i] = v + i * split_.pitch * 4;
      const bool fetch = !split_.weights_stay || tile - begin < split_.groups;
      const size_t last = split_.together ? group + 1 : weights_.panels.size();
      for (size_t panel = group; panel < last; panel++) {
        Multiply(rows, m, panel, count, fetch && (panel + 1 < last || tile + 1 < end));
        store(weights_.panels[panel], first, count, m);
      }
    }
  }

 private:
  // The 16 products of a panel. `ahead`: what the next panel reads first is fetched too.
  void Multiply(const uint8_t* const* rows, uint8_t* m, size_t index, size_t count, bool ahead) const;

  size_t tiles_ = 0, steps_ = 0;
  const GemmRow* row_ = nullptr;
  WinogradSplit split_;
  WinogradWeights weights_;
};

}  // namespace lowp
