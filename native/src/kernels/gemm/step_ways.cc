// The proof that vpmaddubsw cannot saturate, step by step, and the packing that follows from it.
#include "kernels/gemm/step_ways.h"

#include <vector>

namespace lowp {
namespace {

bool AllSafe(const int8_t* quads, size_t columns, const uint8_t (&order)[4]) {
  unsigned unsafe = 0;
  for (size_t column = 0; column < columns; column++, quads += 4) {
    unsafe |= IsSafePair(quads[order[0]], quads[order[1]]) ? 0u : 1u;
    unsafe |= IsSafePair(quads[order[2]], quads[order[3]]) ? 0u : 1u;
  }
  return unsafe == 0;
}

// One step in the layout of kPairs: elements 0 and 2 of a vector's lanes, then 1 and 3.
void WriteWide(const int8_t* quads, size_t columns, size_t lanes, uint8_t* out) {
  for (size_t column = 0; column < columns; column++, quads += 4) {
    uint8_t* vector = out + column / lanes * lanes * 4 + column % lanes * 2;
    for (size_t i = 0; i < 4; i++) vector[i % 2 * lanes * 2 + i / 2] = static_cast<uint8_t>(quads[i]);
  }
}

void WriteStep(const int8_t* quads, size_t columns, size_t lanes, StepWay way, uint8_t* out) {
  if (way == StepWay::kWide) return WriteWide(quads, columns, lanes, out);
  const uint8_t(&order)[4] = kStepOrder[static_cast<size_t>(way)];
  for (size_t column = 0; column < columns; column++, quads += 4, out += 4)
    for (size_t i = 0; i < 4; i++) out[i] = static_cast<uint8_t>(quads[order[i]]);
}

}  // namespace

StepWay ProveStep(const int8_t* quads, size_t columns) {
  for (StepWay way : {StepWay::kPlain, StepWay::kCrossed, StepWay::kNested})
    if (AllSafe(quads, columns, kStepOrder[static_cast<size_t>(way)])) return way;
  return StepWay::kWide;
}

void SortSteps(const PanelSteps& p, uint8_t* weights, int64_t* offsets, uint64_t (&counts)[kStepWays]) {
  const size_t step_bytes = p.columns * 4;
  std::vector<StepWay> ways(p.steps);
  for (uint64_t& count : counts) count = 0;
  for (size_t step = 0; step < p.steps; step++) {
    ways[step] = ProveStep(p.quads + step * step_bytes, p.columns);
    counts[static_cast<size_t>(ways[step])]++;
  }
  size_t next[kStepWays] = {};
  for (size_t way = 1; way < kStepWays; way++) next[way] = next[way - 1] + counts[way - 1];
  for (size_t step = 0; step < p.steps; step++) {
    const size_t place = next[static_cast<size_t>(ways[step])]++;
    offsets[place] = p.offsets[step];
    WriteStep(p.quads + step * step_bytes, p.columns, p.lanes, ways[step], weights + place * step_bytes);
  }
}

}  // namespace lowp
