// Little-endian words from untrusted bytes; reading past the end fails instead of reading.
#pragma once
#include <cstdint>
#include <cstring>
#include <string>

#include "base/span.h"

namespace lowp {

class ByteReader {
 public:
  explicit ByteReader(Span<const uint8_t> bytes) : bytes_(bytes) {}

  size_t offset() const { return offset_; }
  size_t left() const { return bytes_.size() - offset_; }

  bool ReadWord(uint32_t* word) {
    if (left() < 4) return false;
    const uint8_t* p = bytes_.data() + offset_;
    *word = static_cast<uint32_t>(p[0]) | static_cast<uint32_t>(p[1]) << 8 | static_cast<uint32_t>(p[2]) << 16 |
            static_cast<uint32_t>(p[3]) << 24;
    offset_ += 4;
    return true;
  }

  // A count of things that each take at least `bytes_each` of the bytes that are left.
  bool ReadCount(size_t bytes_each, uint32_t* count) { return ReadWord(count) && *count <= left() / bytes_each; }

  // `length` bytes, padded to a multiple of 4.
  bool ReadPadded(uint32_t length, std::string* text) {
    const size_t padded = (static_cast<size_t>(length) + 3) & ~size_t{3};
    if (left() < padded) return false;
    text->assign(reinterpret_cast<const char*>(bytes_.data() + offset_), length);
    offset_ += padded;
    return true;
  }

 private:
  Span<const uint8_t> bytes_;
  size_t offset_ = 0;
};

}  // namespace lowp
