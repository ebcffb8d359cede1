// Immutable arrays of which the process keeps one copy, whoever makes the same bytes.
//
// Packed weights follow from the weights, the kernel row and little else, so two programs of one network - for other
// input shapes, or compiled twice - make the same bytes. Arrays are found by their content: by size and a digest of a
// few samples first, then byte by byte, so nothing is shared that is not equal. Any thread may share, copy and drop
// arrays. The memory is freed with the last SharedArray that holds it.
#pragma once
#include <memory>
#include <utility>

#include "base/aligned.h"

namespace lowp {

// Smaller arrays are not worth an entry of the table, and are never found.
constexpr size_t kLeastSharedBytes = 4096;

template <class T>
class SharedArray {
 public:
  SharedArray() = default;
  SharedArray(std::shared_ptr<const uint8_t> bytes, size_t size, bool found)
      : bytes_(std::move(bytes)), size_(size), found_(found) {}

  // On a 64-byte boundary, with kReadSlack behind it. Null when memory was exhausted.
  const T* get() const { return reinterpret_cast<const T*>(bytes_.get()); }
  explicit operator bool() const { return bytes_ != nullptr; }
  size_t bytes() const { return size_; }
  // Bytes that were in memory before this array was made.
  size_t found_bytes() const { return found_ ? size_ : 0; }

 private:
  std::shared_ptr<const uint8_t> bytes_;
  size_t size_ = 0;
  bool found_ = false;
};

namespace shared_array {
// The owner of `size` equal bytes that are in memory, or null.
std::shared_ptr<const uint8_t> Find(const uint8_t* bytes, size_t size);
// Makes `bytes` one that Find finds.
std::shared_ptr<const uint8_t> Add(AlignedPtr<uint8_t> bytes, size_t size);
}  // namespace shared_array

// `array`, or what is equal to it and was there before; `array` is freed then. Null stays null.
template <class T>
SharedArray<T> Share(AlignedPtr<T> array, size_t count) {
  if (!array) return {};
  const size_t size = count * sizeof(T);
  AlignedPtr<uint8_t> bytes(reinterpret_cast<uint8_t*>(array.release()));
  std::shared_ptr<const uint8_t> known = shared_array::Find(bytes.get(), size);
  if (known) return {std::move(known), size, true};
  return {shared_array::Add(std::move(bytes), size), size, false};
}

// The same for bytes that belong to somebody else: they are copied only when there is nothing equal. Null when memory
// is exhausted.
SharedArray<uint8_t> ShareCopy(const uint8_t* bytes, size_t size);

// What the process shares now, for tests: arrays of at least kLeastSharedBytes.
struct SharedTotals {
  size_t arrays = 0;
  size_t bytes = 0;
};
SharedTotals CountShared();

}  // namespace lowp
