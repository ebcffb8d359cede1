// The floating-point mode that every kernel relies on: round to nearest even, subnormals kept, no traps.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#else
#include <cfenv>
#endif

namespace lowp {

// Sets the mode for its lifetime and restores what it found.
class ScopedFloatMode {
 public:
#if defined(__x86_64__)
  ScopedFloatMode() : before_(_mm_getcsr()) { _mm_setcsr(0x1F80); }
  ~ScopedFloatMode() { _mm_setcsr(before_); }
#else
  ScopedFloatMode() {
    std::fegetenv(&before_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~ScopedFloatMode() { std::fesetenv(&before_); }
#endif
  ScopedFloatMode(const ScopedFloatMode&) = delete;
  ScopedFloatMode& operator=(const ScopedFloatMode&) = delete;

 private:
#if defined(__x86_64__)
  unsigned before_;
#else
  std::fenv_t before_;
#endif
};

}  // namespace lowp
