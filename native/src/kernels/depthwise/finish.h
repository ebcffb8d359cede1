// The epilogue (kernels/common/epilogue.h) on vectors in unpacked order (simd/lanes.h). For ISA files only.
#pragma once
#include "kernels/depthwise/row.h"
#include "simd/lanes.h"

namespace lowp {
namespace {

// One block of channels of one output pixel.
struct BlockPlace {
  size_t count;  // channels to store; more than the block has means all
  uint8_t* y;
  const uint8_t* residual;  // null when there is none
  const uint8_t* low;       // bounds of the channels; null when there are none
  const uint8_t* high;
  size_t y_step;  // bytes to the next pixel
  size_t residual_step;

  static LOWP_INLINE BlockPlace Of(const DepthwiseTask& task, size_t c) {
    const DepthwiseGeometry& g = *task.geometry;
    const Epilogue& e = *task.epilogue;
    const size_t y_size = e.u8_output ? 1 : sizeof(float);
    const size_t residual_size = e.residual == ResidualKind::kU8 ? 1 : sizeof(float);
    BlockPlace at;
    at.count = g.channels - c;
    at.y = task.y + c * y_size;
    at.residual = task.residual ? task.residual + c * residual_size : nullptr;
    at.low = e.bound_low ? e.bound_low + c : nullptr;
    at.high = e.bound_low ? e.bound_high + c : nullptr;
    at.y_step = g.out_stride * y_size;
    at.residual_step = task.residual ? g.channels * residual_size : 0;
    return at;
  }
  LOWP_INLINE void Advance(size_t pixels) {
    y += pixels * y_step;
    if (residual) residual += pixels * residual_step;
  }
};

template <class V>
LOWP_INLINE typename V::Float ApplyMid(const Epilogue& e, typename V::Float v) {
  v = V::Min(V::Max(V::RoundFloat(v), V::Set(e.mid_low)), V::Set(e.mid_high));
  return V::Fma(v, V::Set(e.mid_scale), V::Set(e.mid_bias));
}

template <class V>
LOWP_INLINE typename V::Float ApplyLimits(const Epilogue& e, typename V::Float v) {
  return V::Min(V::Max(v, V::Set(e.low)), V::Set(e.high));
}

// The residual's bytes of a block in the order of the accumulators.
template <class V>
LOWP_INLINE void UnpackResidual(const uint8_t* residual, typename V::Int (&v)[4]) {
  const auto zero = V::Zero();
  const auto bytes = V::Load(residual);
  const auto low = V::UnpackLowBytes(bytes, zero), high = V::UnpackHighBytes(bytes, zero);
  v[0] = V::UnpackLowWords(low, zero);
  v[1] = V::UnpackHighWords(low, zero);
  v[2] = V::UnpackLowWords(high, zero);
  v[3] = V::UnpackHighWords(high, zero);
}

template <class V>
LOWP_INLINE void UnpackResidual(const uint8_t* residual, typename V::Int (&v)[2]) {
  const auto words = V::WidenBytes(V::LoadHalf(residual));
  v[0] = V::UnpackLowWords(words, V::Zero());
  v[1] = V::UnpackHighWords(words, V::Zero());
}

template <class V, int kVectors>
LOWP_INLINE void AddResidual(const Epilogue& e, const BlockPlace& at, typename V::Float (&v)[kVectors]) {
  typename V::Float r[kVectors];
  if (e.residual == ResidualKind::kU8) {
    typename V::Int bytes[kVectors];
    UnpackResidual<V>(at.residual, bytes);
    LOWP_UNROLL for (int j = 0; j < kVectors; j++) { r[j] = V::ToFloat(bytes[j]); }
  } else {
    LoadFloatBlock<V>(reinterpret_cast<const float*>(at.residual), at.count, r);
  }
  const auto scale = V::Set(e.residual_scale);
  LOWP_UNROLL for (int j = 0; j < kVectors; j++) { v[j] = V::Fma(r[j], scale, v[j]); }
}

template <class V, int kVectors>
LOWP_INLINE void StoreByteBlock(const typename V::Float (&v)[kVectors], const BlockPlace& at) {
  typename V::Int q[kVectors];
  LOWP_UNROLL for (int j = 0; j < kVectors; j++) { q[j] = V::ToInt(v[j]); }
  auto bytes = V::Pack(q);
  if (at.low) {
    auto low = bytes, high = bytes;
    LoadBytes(at.low, &low);
    LoadBytes(at.high, &high);
    bytes = MinBytes(MaxBytes(bytes, low), high);
  }
  StoreBytes(at.y, bytes, at.count);
}

// True when only scaling, bounds and the conversion to u8 are left to do.
LOWP_INLINE bool IsPlain(const Epilogue& e) {
  return e.u8_output && !e.mid && !e.limit && e.residual == ResidualKind::kNone;
}

// `channels` is the block's part of DepthwiseTask::channels.
template <class V, int kVectors, bool kPlain>
LOWP_INLINE void FinishBlock(const Epilogue& e, const typename V::Int (&acc)[kVectors], const uint8_t* channels,
                             const BlockPlace& at) {
  const float* scale = reinterpret_cast<const float*>(channels) + kVectors * V::kLanes;
  const float* bias = scale + kVectors * V::kLanes;
  typename V::Float v[kVectors];
  LOWP_UNROLL for (int j = 0; j < kVectors; j++) {
    v[j] = V::Fma(V::ToFloat(acc[j]), V::LoadFloat(scale + j * V::kLanes), V::LoadFloat(bias + j * V::kLanes));
  }
  if constexpr (!kPlain) {
    if (e.mid) {
      LOWP_UNROLL for (int j = 0; j < kVectors; j++) { v[j] = ApplyMid<V>(e, v[j]); }
    }
    if (e.residual != ResidualKind::kNone) AddResidual<V>(e, at, v);
    if (!e.u8_output) {
      LOWP_UNROLL for (int j = 0; j < kVectors; j++) { v[j] = ApplyLimits<V>(e, v[j]); }
      StoreFloatBlock<V>(reinterpret_cast<float*>(at.y), v, at.count);
      return;
    }
    // Keeps NaN, which the conversion turns into a negative number and the packing into 0.
    LOWP_UNROLL for (int j = 0; j < kVectors; j++) { v[j] = V::Min(V::Set(255.0f), v[j]); }
  }
  StoreByteBlock<V>(v, at);
}

}  // namespace
}  // namespace lowp
