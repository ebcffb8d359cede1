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

// What folding takes of 4 lanes.
struct Xmm {
  using Int = __m128i;
  using Float = __m128;
  static LOWP_INLINE Int Zero() { return _mm_setzero_si128(); }
  static LOWP_INLINE Int Load(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
  static LOWP_INLINE Float ZeroFloat() { return _mm_setzero_ps(); }
  static LOWP_INLINE Float Set(float v) { return _mm_set1_ps(v); }
  static LOWP_INLINE Float LoadFloat(const float* p) { return _mm_loadu_ps(p); }
  static LOWP_INLINE Float Add(Float a, Float b) { return _mm_add_ps(a, b); }
  static LOWP_INLINE Float Div(Float a, Float b) { return _mm_div_ps(a, b); }
  static LOWP_INLINE Float Max(Float a, Float b) { return _mm_max_ps(a, b); }
  static LOWP_INLINE void StoreFirst(float* y, Float v, size_t count) {
    _mm_maskstore_ps(y, _mm_cmpgt_epi32(_mm_set1_epi32(static_cast<int>(count)), _mm_setr_epi32(0, 1, 2, 3)), v);
  }
};

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

// The windows of kPixels output pixels whose x is `distance` bytes apart, kVectors registers of channels each. One of the
// two is 1: registers that do not wait for each other. Of a single register `bytes` are stored.
template <class Op, int kPixels, int kVectors>
LOWP_INLINE void FoldWindows(const PoolTask& task, const PoolSpan* columns, size_t distance, const uint8_t* window,
                             uint8_t* y, size_t bytes) {
  using Vector = typename Op::Vector;
  Vector v[kPixels][kVectors];
  LOWP_UNROLL for (int i = 0; i < kPixels; i++) {
    LOWP_UNROLL for (int j = 0; j < kVectors; j++) v[i][j] = Op::Start();
  }
  for (uint32_t kz = 0; kz < task.plane.length; kz++, window += task.step_d) {
    const uint8_t* row = window;
    for (uint32_t ky = 0; ky < task.row.length; ky++, row += task.step_h) {
      const uint8_t* p = row;
      for (uint32_t kx = 0; kx < columns->length; kx++, p += task.step_w) {
        LOWP_UNROLL for (int i = 0; i < kPixels; i++) {
          LOWP_UNROLL for (int j = 0; j < kVectors; j++)
            v[i][j] = Op::Fold(v[i][j], Op::Load(p + i * distance + j * sizeof(Vector)));
        }
      }
    }
  }
  LOWP_UNROLL for (int i = 0; i < kPixels; i++) {
    const float divisor = DivisorOf(task, columns[i]);
    LOWP_UNROLL for (int j = 0; j < kVectors; j++) {
      Op::Store(y + i * task.out_pixel + j * sizeof(Vector), Op::Finish(v[i][j], divisor),
                kVectors == 1 ? bytes : sizeof(Vector));
    }
  }
}

// Whether kPixels windows from `columns` on have as many positions each and lie at equal distances.
template <int kPixels>
LOWP_INLINE bool AreAlike(const PoolSpan* columns) {
  const uint32_t distance = columns[1].first - columns[0].first;
  bool alike = true;
  for (int i = 1; i < kPixels; i++)
    alike &= columns[i].length == columns[0].length && columns[i].first - columns[i - 1].first == distance;
  return alike;
}

// kPixels output pixels from ox on, one register of channels of each at a time.
template <class Op, int kPixels>
LOWP_INLINE void FoldPixels(const PoolTask& task, size_t ox, size_t distance) {
  constexpr size_t kVector = sizeof(typename Op::Vector);
  const size_t end = task.end * sizeof(typename Op::Element);
  const PoolSpan* columns = task.columns + ox;
  const uint8_t* window = WindowOf(task, *columns);
  uint8_t* y = task.y + ox * task.out_pixel;
  for (size_t at = task.begin * sizeof(typename Op::Element); at < end; at += kVector)
    FoldWindows<Op, kPixels, 1>(task, columns, distance, window + at, y + at, end - at);
}

// Channels of few registers.
template <class Op>
LOWP_INLINE void FoldNarrow(const PoolTask& task) {
  constexpr int kPixels = 4;
  for (size_t ox = 0; ox < task.out_w;) {
    const PoolSpan* columns = task.columns + ox;
    if (ox + kPixels <= task.out_w && AreAlike<kPixels>(columns)) {
      FoldPixels<Op, kPixels>(task, ox, (columns[1].first - columns[0].first) * task.in_pixel);
      ox += kPixels;
    } else {
      FoldPixels<Op, 1>(task, ox++, 0);
    }
  }
}

// In the narrowest registers that hold all channels, whose loads meet the fewest ends of cache lines.
template <template <class> class Fold, class V>
void RunFold(const PoolTask& task) {
  using Op = Fold<V>;
  constexpr size_t kVector = sizeof(typename Op::Vector);
  constexpr int kVectors = 4;
  const size_t begin = task.begin * sizeof(typename Op::Element), end = task.end * sizeof(typename Op::Element);
  if (end - begin <= sizeof(typename Fold<Xmm>::Vector)) return FoldNarrow<Fold<Xmm>>(task);
  if (end - begin <= sizeof(typename Fold<Ymm>::Vector)) return FoldNarrow<Fold<Ymm>>(task);
  if (end - begin < kVectors * kVector) return FoldNarrow<Op>(task);
  for (size_t ox = 0; ox < task.out_w; ox++) {
    const PoolSpan* column = task.columns + ox;
    const uint8_t* window = WindowOf(task, *column);
    uint8_t* y = task.y + ox * task.out_pixel;
    size_t at = begin;
    for (; at + kVectors * kVector <= end; at += kVectors * kVector)
      FoldWindows<Op, 1, kVectors>(task, column, 0, window + at, y + at, 0);
    for (; at < end; at += kVector) FoldWindows<Op, 1, 1>(task, column, 0, window + at, y + at, end - at);
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
