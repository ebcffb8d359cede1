// The loop over the products of a panel.
#include "kernels/winograd/products.h"

namespace lowp {

void WinogradProducts::Describe(PreparedCall* call) const {
  call->phases = split_.together ? 2 : 1;
  call->tiles[0] = split_.together ? tiles_ : split_.tiles();
  call->tiles[1] = split_.tiles();
  call->shared_bytes = split_.together ? split_.v_bytes() : 0;
  call->scratch_bytes = split_.table_bytes() + split_.m_bytes() + (split_.together ? 0 : split_.v_bytes());
  call->packed_bytes = weights_.u.bytes();
  call->found_bytes = weights_.u.found_bytes();
}

void WinogradProducts::Multiply(const uint8_t* const* rows, uint8_t* m, size_t index, size_t count, bool ahead) const {
  const Panel &panel = weights_.panels[index], &behind = weights_.panels[(index + 1) % weights_.panels.size()];
  const Segment segment{0, steps_};
  const size_t bytes = steps_ * WidthOf(panel) * 4;
  PanelTask task;
  task.rows = rows;
  task.m = count;
  task.segments = &segment;
  task.segment_count = 1;
  task.vectors = panel.vectors;
  task.suspend = true;
  for (size_t product = 0; product < kWinogradProducts; product++) {
    const bool last = product + 1 == kWinogradProducts;
    task.row_offset = static_cast<int64_t>(product * split_.product_pitch * 4);
    task.weights = weights_.u.get() + panel.weights + product * bytes;
    task.next = last ? weights_.u.get() + behind.weights : task.weights + bytes;
    task.next_bytes = !last ? bytes : ahead ? steps_ * WidthOf(behind) * 4 : 0;
    task.partial = reinterpret_cast<float*>(m) + product * split_.m_pitch;
    row_->run(task);
  }
}

}  // namespace lowp
