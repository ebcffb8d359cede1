// Pooling over vectors of channels. For ISA files only.
#pragma once
#include <cfloat>

#include "kernels/pool/row.h"
#include "simd/lanes.h"

namespace lowp {
namespace {

LOWP_INLINE const uint8_t* WindowOf(const PoolTask& task, const PoolSpan& column) {
  return task.x + task.plane.first * task.in_plane + task.row.first * task.in_row + column.first * task.in_pixel;
}

LOWP_INLINE float DivisorOf(const PoolTask& task, const PoolSpan& column) {
  const uint64_t count = task.plane.count * task.row.count * column.count;
  return count > 0 ? static_cast<float>(count) : 1.0f;
}

// A way to fold positions whose result has the type of x: Start, Fold(accumulator, vector) and Finish(accumulator,
// count).
template <class V>
struct MaxFloats {
  using Element = float;
  using Vector = typename V::Float;
  static LOWP_INLINE Vector Start() { return V::Set(-FLT_MAX); }
  static LOWP_INLINE Vector Load(const uint8_t* p) { return V::LoadFloat(reinterpret_cast<const float*>(p)); }
  static LOWP_INLINE Vector Fold(Vector most, Vector v) { return V::Max(v, most); }
  static LOWP_INLINE Vector Finish(Vector most, float) { return most; }
  static LOWP_INLINE void Store(uint8_t* y, Vector v, size_t bytes) {
    V::StoreFirst(reinterpret_cast<float*>(y), v, bytes / sizeof(float));
  }
};

template <class V>
struct SumFloats : MaxFloats<V> {
  using Vector = typename V::Float;
  static LOWP_INLINE Vector Start() { return V::ZeroFloat(); }
  static LOWP_INLINE Vector Fold(Vector sum, Vector v) { return V::Add(sum, v); }
  static LOWP_INLINE Vector Finish(Vector sum, float divisor) { return V::Div(sum, V::Set(divisor)); }
};

template <class V>
struct MaxOfBytes {
  using Element = uint8_t;
  using Vector = typename V::Int;
  static LOWP_INLINE Vector Start() { return V::Zero(); }
  static LOWP_INLINE Vector Load(const uint8_t* p) { return V::Load(p); }
  static LOWP_INLINE Vector Fold(Vector most, Vector v) { return MaxBytes(v, most); }
  static LOWP_INLINE Vector Finish(Vector most, float) { return most; }
  static LOWP_INLINE void Store(uint8_t* y, Vector v, size_t bytes) { StoreBytes(y, v, bytes); }
};

// kVectors registers of channels from `window` on; `bytes` of them are stored.
template <class Op, int kVectors>
LOWP_INLINE void FoldWindow(const PoolTask& task, const PoolSpan& column, const uint8_t* window, float divisor,
                            uint8_t* y, size_t bytes) {
  using Vector = typename Op::Vector;
  Vector v[kVectors];
  LOWP_UNROLL for (int j = 0; j < kVectors; j++) { v[j] = Op::Start(); }
  for (uint32_t kz = 0; kz < task.plane.length; kz++, window += task.step_d) {
    const uint8_t* row = window;
    for (uint32_t ky = 0; ky < task.row.length; ky++, row += task.step_h) {
      const uint8_t* p = row;
      for (uint32_t kx = 0; kx < column.length; kx++, p += task.step_w) {
        LOWP_UNROLL for (int j = 0; j < kVectors; j++) { v[j] = Op::Fold(v[j], Op::Load(p + j * sizeof(Vector))); }
      }
    }
  }
  LOWP_UNROLL for (int j = 0; j < kVectors; j++) {
    const size_t before = j * sizeof(Vector);
    Op::Store(y + before, Op::Finish(v[j], divisor), kVectors == 1 ? bytes : sizeof(Vector));
  }
}

template <class Op>
void RunFold(const PoolTask& task) {
  constexpr size_t kVector = sizeof(typename Op::Vector);
  constexpr int kVectors = 4;
  const size_t end = task.end * sizeof(typename Op::Element);
  for (size_t ox = 0; ox < task.out_w; ox++) {
    const PoolSpan& column = task.columns[ox];
    const uint8_t* window = WindowOf(task, column);
    const float divisor = DivisorOf(task, column);
    uint8_t* y = task.y + ox * task.out_pixel;
    size_t at = task.begin * sizeof(typename Op::Element);
    for (; at + kVectors * kVector <= end; at += kVectors * kVector)
      FoldWindow<Op, kVectors>(task, column, window + at, divisor, y + at, kVectors * kVector);
    for (; at < end; at += kVector) FoldWindow<Op, 1>(task, column, window + at, divisor, y + at, end - at);
  }
}

// Sums of one register of bytes over a window, in unpacked order. Words hold 256 bytes before they must be emptied.
template <class V>
LOWP_INLINE void SumBytes(const PoolTask& task, const PoolSpan& column, const uint8_t* window,
                          typename V::Int (&sum)[4]) {
  constexpr int kMostBytes = 256;
  const auto zero = V::Zero();
  auto low = zero, high = zero;
  LOWP_UNROLL for (int j = 0; j < 4; j++) { sum[j] = zero; }
  const auto empty = [&]() __attribute__((always_inline)) {
    sum[0] = V::AddInts(sum[0], V::UnpackLowWords(low, zero));
    sum[1] = V::AddInts(sum[1], V::UnpackHighWords(low, zero));
    sum[2] = V::AddInts(sum[2], V::UnpackLowWords(high, zero));
    sum[3] = V::AddInts(sum[3], V::UnpackHighWords(high, zero));
    low = high = zero;
  };
  int room = kMostBytes;
  for (uint32_t kz = 0; kz < task.plane.length; kz++, window += task.step_d) {
    const uint8_t* row = window;
    for (uint32_t ky = 0; ky < task.row.length; ky++, row += task.step_h) {
      const uint8_t* p = row;
      for (uint32_t kx = 0; kx < column.length; kx++, p += task.step_w) {
        const auto bytes = V::Load(p);
        low = V::AddWords(low, V::UnpackLowBytes(bytes, zero));
        high = V::AddWords(high, V::UnpackHighBytes(bytes, zero));
        if (--room == 0) {
          empty();
          room = kMostBytes;
        }
      }
    }
  }
  empty();
}

template <class V>
void RunAverageU8(const PoolTask& task) {
  constexpr size_t kChannels = V::kLanes * 4;
  const auto scale = V::Set(task.scale), bias = V::Set(task.bias);
  for (size_t ox = 0; ox < task.out_w; ox++) {
    const PoolSpan& column = task.columns[ox];
    const uint8_t* window = WindowOf(task, column);
    const auto divisor = V::Set(DivisorOf(task, column));
    const int32_t offset = static_cast<int32_t>(task.plane.length * task.row.length * column.length) * task.zero_point;
    uint8_t* y = task.y + ox * task.out_pixel;
    for (size_t c = task.begin; c < task.end; c += kChannels) {
      typename V::Int sum[4];
      SumBytes<V>(task, column, window + c, sum);
      typename V::Float v[4];
      LOWP_UNROLL for (int j = 0; j < 4; j++) {
        v[j] = V::ToFloat(V::AddInts(sum[j], V::SetInt(-offset)));
        v[j] = V::Fma(V::Div(v[j], divisor), scale, bias);
      }
      if (!task.u8_output) {
        StoreFloatBlock<V>(reinterpret_cast<float*>(y) + c, v, task.end - c);
        continue;
      }
      // Keeps NaN, which the conversion turns into a negative number and the packing into 0.
      LOWP_UNROLL for (int j = 0; j < 4; j++) { sum[j] = V::ToInt(V::Min(V::Set(255.0f), v[j])); }
      StoreBytes(y + c, V::Pack(sum), task.end - c);
    }
  }
}

}  // namespace
}  // namespace lowp
