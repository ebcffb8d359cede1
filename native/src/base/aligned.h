// Zero-filled memory on a 64-byte boundary, with slack behind it for kernels that load whole vectors.
#pragma once
#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace lowp {

// Bytes behind every buffer of the runtime that a kernel may read but not use.
constexpr size_t kReadSlack = 128;

// Memory of this size and more is laid on large pages where the system has them: fewer faults, fewer TLB misses.
constexpr size_t kLargePage = 2 << 20;

struct FreeDeleter {
  void operator()(void* p) const { std::free(p); }
};

template <class T>
using AlignedPtr = std::unique_ptr<T[], FreeDeleter>;

// Null when memory is exhausted or the size overflows.
template <class T>
AlignedPtr<T> AllocateAligned(size_t count) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, sizeof(T), &bytes) || bytes > SIZE_MAX / 2) return nullptr;
  bytes = (bytes + kReadSlack + 63) & ~size_t{63};
  const bool large = bytes >= kLargePage;
  void* p = nullptr;
  if (posix_memalign(&p, large ? kLargePage : 64, bytes) != 0) return nullptr;  // aligned_alloc wants whole pages
#ifdef MADV_HUGEPAGE
  if (large) (void)madvise(p, bytes & ~(kLargePage - 1), MADV_HUGEPAGE);
#endif
  std::memset(p, 0, bytes);
  return AlignedPtr<T>(static_cast<T*>(p));
}

}  // namespace lowp
