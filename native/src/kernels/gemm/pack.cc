// Weight panels and starting sums.
#include "kernels/gemm/pack.h"

#include <algorithm>
#include <cstring>

#include "base/span.h"
#include "kernels/gemm/step_ways.h"

namespace lowp {
namespace {

size_t ElementsPerStep(bool integer) { return integer ? 4 : 1; }

size_t WidestPanel(const GemmRow& row, size_t pixels) {
  if (pixels == 1) return row.thin_vectors;
  return pixels <= 3 && row.few_vectors > 0 ? row.few_vectors : row.most_vectors;
}

// Byte of element i (0..3) of a step within a vector's bytes.
size_t PlaceOf(Packing packing, size_t lane, size_t i, size_t lanes) {
  if (packing != Packing::kPairs) return lane * 4 + i;
  return (i % 2) * lanes * 2 + lane * 2 + i / 2;
}

void PackIntegers(const int8_t* w, Span<const size_t> source, Packing packing, size_t lane, size_t lanes,
                  size_t step_bytes, uint8_t* out) {
  size_t place[4];
  for (size_t i = 0; i < 4; i++) place[i] = PlaceOf(packing, lane, i, lanes);
  for (size_t k = 0; k < source.size(); k += 4, out += step_bytes) {
    for (size_t i = 0; i < 4; i++)
      if (source[k + i] != kNoWeight) out[place[i]] = static_cast<uint8_t>(w[source[k + i]]);
  }
}

void PackFloats(const uint8_t* w, Span<const size_t> source, size_t lane, size_t step_bytes, uint8_t* out) {
  out += lane * 4;
  for (size_t k = 0; k < source.size(); k++, out += step_bytes)
    if (source[k] != kNoWeight) std::memcpy(out, w + source[k] * 4, 4);
}

// Channels that lie side by side are whole rows of a panel's step.
void CopyFloats(const uint8_t* w, const std::vector<size_t>& source, size_t columns, size_t step_bytes, uint8_t* out) {
  for (size_t k = 0; k < source.size(); k++, out += step_bytes)
    if (source[k] != kNoWeight) std::memcpy(out, w + source[k] * 4, columns * 4);
}

// Some steps of every column at a time: the part of the panel that they fill stays in the first-level cache.
void PackPanel(const GemmProblem& p, const GemmRow& row, const std::vector<size_t>& source, const Panel& panel,
               uint8_t* out) {
  constexpr size_t kSteps = 64;
  const size_t vector_bytes = row.lanes * 4, step_bytes = panel.vectors * vector_bytes;
  const uint8_t* weights = static_cast<const uint8_t*>(p.weights);
  if (!p.integer && p.weight_stride == 1) {
    CopyFloats(weights + panel.n * 4, source, panel.columns, step_bytes, out);
    return;
  }
  const size_t block = kSteps * ElementsPerStep(p.integer);
  for (size_t k = 0; k < source.size(); k += block, out += kSteps * step_bytes) {
    const Span<const size_t> part(source.data() + k, std::min(block, source.size() - k));
    for (size_t column = 0; column < panel.columns; column++) {
      const size_t first = (panel.n + column) * p.weight_stride;
      uint8_t* vector = out + column / row.lanes * vector_bytes;
      const size_t lane = column % row.lanes;
      if (p.integer) {
        const int8_t* w = reinterpret_cast<const int8_t*>(weights) + first;
        PackIntegers(w, part, row.packing, lane, row.lanes, step_bytes, vector);
      } else {
        PackFloats(weights + first * 4, part, lane, step_bytes, vector);
      }
    }
  }
}

// Packs every panel as quads, one at a time, and sorts its steps. False when memory is exhausted.
bool PackProven(const GemmProblem& p, const GemmRow& row, const std::vector<size_t>& source, uint8_t* weights,
                PackedWeights* packed) {
  const size_t steps = packed->steps, columns = row.lanes * packed->panels.front().vectors;  // the first is the widest
  const AlignedPtr<uint8_t> quads = AllocateAligned<uint8_t>(steps * columns * 4);
  if (!quads) return false;
  std::vector<int64_t> offsets;
  for (const Segment& s : MakeSegments(p, row, UINT64_MAX))
    for (uint64_t step = 0; step < s.steps; step++) offsets.push_back(s.offset + static_cast<int64_t>(step * 4));
  packed->step_offsets.resize(steps * packed->panels.size());
  int64_t* sorted = packed->step_offsets.data();
  for (Panel& panel : packed->panels) {
    const size_t width = panel.vectors * row.lanes;
    std::memset(quads.get(), 0, steps * width * 4);
    PackPanel(p, row, source, panel, quads.get());
    const PanelSteps task{reinterpret_cast<const int8_t*>(quads.get()), steps, width, row.lanes, offsets.data()};
    SortSteps(task, weights + panel.weights, sorted, panel.steps.counts);
    panel.steps.offsets = sorted;
    sorted += steps;
  }
  return true;
}

int32_t SumOf(const int8_t* w, const std::vector<size_t>& source) {
  int32_t sum = 0;
  for (size_t index : source)
    if (index != kNoWeight) sum += w[index];
  return sum;
}

}  // namespace

std::vector<Panel> MakePanels(const GemmProblem& p, const GemmRow& row, size_t steps) {
  const size_t units = (p.group_columns + row.lanes - 1) / row.lanes;
  const size_t most = WidestPanel(row, p.pixels);
  const size_t count = (units + most - 1) / most;
  const size_t element = p.integer ? 1 : 4;
  std::vector<Panel> panels;
  size_t weights = 0;
  for (size_t group = 0; group < p.groups; group++) {
    size_t column = 0;
    for (size_t i = 0; i < count; i++) {
      Panel panel;
      panel.vectors = static_cast<uint32_t>(units / count + (i < units % count ? 1 : 0));
      panel.n = group * p.group_columns + column;
      panel.columns = std::min<size_t>(panel.vectors * row.lanes, p.group_columns - column);
      panel.row_offset = static_cast<int64_t>(group * p.group_stride * element);
      panel.weights = weights;
      weights += (steps * panel.vectors * row.lanes * 4 + 63) & ~size_t{63};
      column += panel.columns;
      panels.push_back(panel);
    }
  }
  return panels;
}

std::vector<size_t> FilledSource(const GemmProblem& p, size_t unit) {
  std::vector<size_t> source;
  size_t next = 0;
  for (const Run& run : p.runs) {
    for (size_t i = 0; i < run.length; i++) source.push_back(p.source[next++]);
    while (source.size() % unit != 0) source.push_back(kNoWeight);
  }
  return source;
}

std::vector<Segment> MakeSegments(const GemmProblem& p, const GemmRow& row, uint64_t most_steps) {
  const size_t element = p.integer ? 1 : 4, unit = ElementsPerStep(p.integer) * row.unit_steps;
  std::vector<Segment> segments;
  for (const Run& run : p.runs) {
    const int64_t offset = run.offset * static_cast<int64_t>(element);
    const uint64_t steps = (run.length + unit - 1) / unit * row.unit_steps;
    const uint64_t parts = (steps - 1) / most_steps + 1;
    for (uint64_t part = 0, first = 0; steps > 0 && part < parts; part++) {
      const uint64_t length = steps / parts + (part < steps % parts ? 1 : 0);
      segments.push_back({offset + static_cast<int64_t>(first * 4), length});
      first += length;
    }
  }
  return segments;
}

Result<PackedWeights> PackWeights(const GemmProblem& p, const GemmRow& row) {
  const std::vector<size_t> source = FilledSource(p, ElementsPerStep(p.integer) * row.unit_steps);
  const Status memory(Code::kMemory, "no memory for packed weights");
  PackedWeights packed;
  packed.steps = source.size() / ElementsPerStep(p.integer);
  packed.panels = MakePanels(p, row, packed.steps);
  const Panel& last = packed.panels.back();
  packed.bytes = last.weights + packed.steps * last.vectors * row.lanes * 4;
  const size_t weight_bytes = packed.bytes;
  AlignedPtr<uint8_t> weights = AllocateAligned<uint8_t>(weight_bytes);
  if (!weights) return memory;
  if (row.packing == Packing::kProven) {
    if (!PackProven(p, row, source, weights.get(), &packed)) return memory;
    packed.bytes += packed.step_offsets.size() * sizeof(int64_t);
  } else {
    for (const Panel& panel : packed.panels) PackPanel(p, row, source, panel, weights.get() + panel.weights);
  }
  packed.weights = Share(std::move(weights), weight_bytes);
  if (p.integer) {
    const size_t channels = p.groups * p.group_columns;
    packed.initial = AllocateAligned<int32_t>(channels + kEpilogueSlack);
    if (!packed.initial) return memory;
    const int8_t* w = static_cast<const int8_t*>(p.weights);
    for (size_t n = 0; n < channels; n++) packed.initial[n] = -p.zero_point * SumOf(w + n * p.weight_stride, source);
    packed.bytes += (channels + kEpilogueSlack) * sizeof(int32_t);
  }
  return Result<PackedWeights>(std::move(packed));
}

}  // namespace lowp
