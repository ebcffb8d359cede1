// Packs weights, scales, biases and zero points of depthwise calls into channel blocks.
#include "kernels/depthwise/pack.h"

#include <cstring>

namespace lowp {
namespace {

constexpr size_t kNoTap = SIZE_MAX;

size_t GroupCount(TapGroups groups, const DepthwiseGeometry& g) {
  if (groups == TapGroups::kColumnsAndLine) return kFiveByFiveGroups;
  return groups == TapGroups::kColumns ? g.kernel_w : (g.taps() + 3) / 4;
}

size_t TapOf(TapGroups groups, const DepthwiseGeometry& g, size_t group, size_t slot) {
  if (groups == TapGroups::kColumns) return slot < g.kernel_h ? slot * g.kernel_w + group : kNoTap;
  if (groups == TapGroups::kColumnsAndLine) {
    if (group < 5) return slot * 5 + group;
    if (group == 5) return 20 + slot + 1;
    return slot == g.stride_w - 1 ? 20 : kNoTap;
  }
  const size_t tap = group * 4 + slot;
  return tap < g.taps() ? tap : kNoTap;
}

size_t VectorsOf(DepthwisePacking packing) { return packing == DepthwisePacking::kQuads ? 4 : 2; }

bool IsInLanes(DepthwisePacking packing) {
  return packing == DepthwisePacking::kQuads || packing == DepthwisePacking::kPairs;
}

// Where a block of `width` channels keeps channel i.
size_t PlaceOf(DepthwisePacking packing, size_t width, size_t i) {
  if (!IsInLanes(packing)) return i;
  const size_t vectors = VectorsOf(packing);
  const size_t lane = i / (4 * vectors), vector = i / 4 % vectors;
  return vector * (width / vectors) + lane * 4 + i % 4;
}

// Weights of one channel, `place` of a block of `width`, into the block's group.
void PackGroup(DepthwisePacking packing, const int8_t (&taps)[4], size_t width, size_t place, uint8_t* group) {
  if (packing == DepthwisePacking::kQuads) {
    std::memcpy(group + place * 4, taps, 4);
    return;
  }
  int16_t* pairs = reinterpret_cast<int16_t*>(group);
  for (size_t slot = 0; slot < 4; slot++) pairs[slot / 2 * width * 2 + place * 2 + slot % 2] = taps[slot];
}

size_t ChannelBytes(const DepthwiseRow& row, const DepthwiseGeometry& g) {
  switch (row.packing) {
    case DepthwisePacking::kPlainFloat:
      return g.taps() * sizeof(float);
    case DepthwisePacking::kPlainInteger:
      return g.taps();
    case DepthwisePacking::kQuads:
      return GroupCount(row.groups, g) * 4;
    case DepthwisePacking::kPairs:
      return GroupCount(row.groups, g) * 8;
  }
  return 0;
}

void PackPlain(const DepthwiseGeometry& g, size_t size, const uint8_t* weights, size_t c, size_t width, uint8_t* out) {
  for (size_t i = 0; i < width && c + i < g.channels; i++)
    for (size_t tap = 0; tap < g.taps(); tap++)
      std::memcpy(out + (tap * width + i) * size, weights + ((c + i) * g.taps() + tap) * size, size);
}

void PackInLanes(const DepthwiseRow& row, const DepthwiseGeometry& g, const int8_t* weights, size_t c, size_t width,
                 uint8_t* out) {
  const size_t groups = GroupCount(row.groups, g);
  const size_t group_bytes = width * (row.packing == DepthwisePacking::kQuads ? 4 : 8);
  for (size_t i = 0; i < width && c + i < g.channels; i++) {
    for (size_t group = 0; group < groups; group++) {
      int8_t taps[4] = {};
      for (size_t slot = 0; slot < 4; slot++) {
        const size_t tap = TapOf(row.groups, g, group, slot);
        if (tap != kNoTap) taps[slot] = weights[(c + i) * g.taps() + tap];
      }
      PackGroup(row.packing, taps, width, PlaceOf(row.packing, width, i), out + group * group_bytes);
    }
  }
}

void PackChannelArrays(const DepthwiseRow& row, const DepthwiseGeometry& g, const Epilogue& epilogue,
                       const int8_t* weights, size_t c, size_t width, DepthwiseConstants* constants) {
  uint8_t* block = constants->channels.get() + c * kDepthwiseChannelBytes;
  for (size_t i = 0; i < width && c + i < g.channels; i++) {
    int32_t sum = 0;
    for (size_t tap = 0; tap < g.taps(); tap++) sum += weights[(c + i) * g.taps() + tap];
    const int32_t initial = -sum * constants->zero_points[c + i];
    uint8_t* place = block + PlaceOf(row.packing, width, i) * 4;
    std::memcpy(place, &initial, 4);
    std::memcpy(place + width * 4, &epilogue.scale[c + i], 4);
    std::memcpy(place + width * 8, &epilogue.bias[c + i], 4);
  }
}

}  // namespace

DepthwiseConstants PackDepthwise(const DepthwiseRow& row, const DepthwiseGeometry& g, const Epilogue& epilogue,
                                 const void* weights, const uint8_t* zero_points) {
  DepthwiseConstants constants;
  const bool integer = row.packing != DepthwisePacking::kPlainFloat;
  const size_t padded = (g.channels + row.wide - 1) / row.wide * row.wide;
  constants.channel_bytes = ChannelBytes(row, g);
  AlignedPtr<uint8_t> packed = AllocateAligned<uint8_t>(padded * constants.channel_bytes);
  constants.bytes = padded * constants.channel_bytes;
  if (!packed) return constants;
  if (integer) {
    constants.channels = AllocateAligned<uint8_t>(padded * kDepthwiseChannelBytes);
    constants.zero_points = AllocateAligned<uint8_t>(padded + kEpilogueSlack);
    constants.bytes += padded * (kDepthwiseChannelBytes + 1);
    if (!constants.channels || !constants.zero_points) return constants;
    std::memcpy(constants.zero_points.get(), zero_points, g.channels);
  }
  for (size_t c = 0; c < g.channels;) {
    const size_t width = DepthwiseBlock(row, g.channels, c);
    uint8_t* out = packed.get() + c * constants.channel_bytes;
    if (IsInLanes(row.packing)) {
      PackInLanes(row, g, static_cast<const int8_t*>(weights), c, width, out);
    } else {
      PackPlain(g, integer ? 1 : sizeof(float), static_cast<const uint8_t*>(weights), c, width, out);
    }
    if (integer) PackChannelArrays(row, g, epilogue, static_cast<const int8_t*>(weights), c, width, &constants);
    c += width;
  }
  constants.weights = Share(std::move(packed), padded * constants.channel_bytes);
  constants.complete = true;
  return constants;
}

}  // namespace lowp
