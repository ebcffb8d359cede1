// Integer products without VNNI on vectors of any width: steps in the order and the ways of a StepList. For ISA files
// only.
//
// Ops supplies the vector type Int and
//   LowBytes(x), HighBytes(x)   bytes 0 and 2, or 1 and 3, of the 4 at x as s16 in every 32-bit element
//   Widen(bytes)                half a vector of s8 as s16
//   Set16(value), Order(order)  constants: an s16 everywhere; the vpshufb control that permutes every 4 bytes
//
// Single products are in assembly: gcc 12 re-associates sums of products, keeps all of them alive and spills the tile.
#pragma once
#include "kernels/gemm/row.h"
#include "simd/inline.h"

namespace lowp {
namespace {

struct __attribute__((may_alias)) FourBytes {
  uint8_t bytes[4];
};

LOWP_INLINE const FourBytes* AsFour(const uint8_t* x) { return reinterpret_cast<const FourBytes*>(x); }

template <class Int>
LOWP_INLINE Int BroadcastFour(const uint8_t* x) {
  Int value;
  asm("vpbroadcastd %1, %0" : "=v"(value) : "m"(*AsFour(x)));
  return value;
}

// With the shift in the same statement the compiler cannot share the broadcast with LowBytes of the same place, which
// would keep one more vector per row alive.
template <class Int>
LOWP_INLINE Int BroadcastHighBytes(const uint8_t* x) {
  Int words;
  asm("vpbroadcastd %1, %0\n\tvpsrlw $8, %0, %0" : "=v"(words) : "m"(*AsFour(x)));
  return words;
}

template <class Int>
LOWP_INLINE void AddWordProducts(Int* acc, Int x, Int w) {
  Int products;
  asm("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+v"(*acc), "=&v"(products) : "v"(x), "v"(w));
}

template <class Int>
LOWP_INLINE void AddByteProducts(Int* acc, Int x, const uint8_t* w, Int ones) {
  Int pairs;
  asm("vpmaddubsw %3, %2, %1\n\tvpmaddwd %4, %1, %1\n\tvpaddd %1, %0, %0"
      : "+v"(*acc), "=&v"(pairs)
      : "v"(x), "m"(*reinterpret_cast<const Int*>(w)), "v"(ones));
}

// A step of kPairs: elements 0 and 2, then 1 and 3, so that only V widened vectors are alive at a time.
template <class Ops, int R, int V>
LOWP_INLINE void AddWideStep(typename Ops::Int (&acc)[R][V], const uint8_t* const (&x)[R], int64_t k,
                             const uint8_t* weights) {
  using Int = typename Ops::Int;
  LOWP_UNROLL for (int half = 0; half < 2; half++) {
    const uint8_t* bytes = weights + half * (sizeof(Int) / 2);
    if constexpr (R == 1) {
      const Int value = half == 0 ? Ops::LowBytes(x[0] + k) : Ops::HighBytes(x[0] + k);
      LOWP_UNROLL for (int j = 0; j < V; j++) AddWordProducts(&acc[0][j], value, Ops::Widen(bytes + j * sizeof(Int)));
    } else {
      Int w[V];
      LOWP_UNROLL for (int j = 0; j < V; j++) w[j] = Ops::Widen(bytes + j * sizeof(Int));
      LOWP_UNROLL for (int i = 0; i < R; i++) {
        const Int value = half == 0 ? Ops::LowBytes(x[i] + k) : Ops::HighBytes(x[i] + k);
        LOWP_UNROLL for (int j = 0; j < V; j++) AddWordProducts(&acc[i][j], value, w[j]);
      }
    }
  }
}

// Any weights, packed as kProven. Base is the IntegerMath of the tile.
template <class Ops, class Base>
struct ProvenMath : Base {
  static constexpr bool kSorted = true;
  using Int = typename Ops::Int;

  template <bool kOrdered, int R, int V>
  static LOWP_INLINE void AddByteStep(Int (&acc)[R][V], const uint8_t* const (&x)[R], int64_t k,
                                      const uint8_t* weights, Int ones, Int order) {
    LOWP_UNROLL for (int i = 0; i < R; i++) {
      Int value = BroadcastFour<Int>(x[i] + k);
      if constexpr (kOrdered) asm("vpshufb %1, %0, %0" : "+v"(value) : "v"(order));
      LOWP_UNROLL for (int j = 0; j < V; j++) AddByteProducts(&acc[i][j], value, weights + j * sizeof(Int), ones);
    }
  }

  template <int R, int V>
  static LOWP_INLINE void Accumulate(const PanelTask& t, size_t row, Int (&acc)[R][V]) {
    const uint8_t* x[R];
    LOWP_UNROLL for (int i = 0; i < R; i++) x[i] = t.rows[row + i] + t.row_offset;
    const uint8_t* weights = t.weights;
    const Int ones = Ops::Set16(1);
    const int64_t* step = t.steps->offsets;
    const int64_t* end = step + t.steps->counts[0];
    for (; step != end; step++, weights += V * sizeof(Int)) AddByteStep<false>(acc, x, *step, weights, ones, ones);
    for (size_t way = 1; way <= 2; way++) {
      const Int order = Ops::Order(kStepOrder[way]);
      end += t.steps->counts[way];
      for (; step != end; step++, weights += V * sizeof(Int)) AddByteStep<true>(acc, x, *step, weights, ones, order);
    }
    end += t.steps->counts[3];
    for (; step != end; step++, weights += V * sizeof(Int)) AddWideStep<Ops>(acc, x, *step, weights);
  }
};

}  // namespace
}  // namespace lowp
