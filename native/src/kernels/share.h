// What threads share of a call: kernels that agree on it find what they read in the cache of the core that wrote it.
#pragma once
#include <cstddef>

namespace lowp {

// Of a thread: several register tiles, enough to reuse a panel of weights in L1.
constexpr size_t kFewestPixels = 48;

// Whether each of some threads has pixels of its own and all channels of them. Otherwise they share the channels.
constexpr bool SharesPixels(size_t pixels, size_t threads) { return pixels >= threads * kFewestPixels; }

}  // namespace lowp
