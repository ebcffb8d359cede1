// Constants of one value or one value per channel, copied so that vectors may be loaded at any channel.
#pragma once
#include <cstring>

#include "base/aligned.h"
#include "kernels/kernel.h"

namespace lowp {

// Entries behind the last channel: a load of 64 entries at any channel stays inside and wraps to channel 0.
constexpr size_t kChannelWrap = 64;

// True when the operand is a constant f32[1] or f32[channels].
inline bool IsChannelConstant(const Operand& o, uint64_t channels) {
  return o.constant && (o.Is(ElementType::kF32, 1) || o.Is(ElementType::kF32, channels));
}

// Entry i is value[(i mod channels) mod elements], for i < channels + kChannelWrap. Null when memory is exhausted.
template <class T>
AlignedPtr<T> WrapChannels(const void* constant, size_t elements, size_t channels) {
  AlignedPtr<T> out = AllocateAligned<T>(channels + kChannelWrap);
  if (!out) return out;
  const uint8_t* bytes = static_cast<const uint8_t*>(constant);
  for (size_t i = 0; i < channels + kChannelWrap; i++)
    std::memcpy(&out[i], bytes + (i % channels % elements) * sizeof(T), sizeof(T));
  return out;
}

inline AlignedPtr<float> WrapChannels(const Operand& o, size_t channels) {
  return WrapChannels<float>(o.constant, static_cast<size_t>(o.elements), channels);
}

// True when all channels have the same bits.
template <class T>
bool IsUniform(const T* values, size_t channels) {
  for (size_t i = 1; i < channels; i++)
    if (std::memcmp(&values[i], &values[0], sizeof(T)) != 0) return false;
  return true;
}

}  // namespace lowp
