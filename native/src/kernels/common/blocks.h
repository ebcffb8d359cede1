// Copies of blocks of elements whose size decides how.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace lowp {

// One element of 1, 2, 4 or 8 bytes, moved as a word.
template <class Word>
struct WordBlock {
  explicit WordBlock(size_t) {}
  static constexpr size_t bytes() { return sizeof(Word); }
  static void Copy(uint8_t* to, const uint8_t* from) { std::memcpy(to, from, sizeof(Word)); }
  static void Clear(uint8_t* to) { std::memset(to, 0, sizeof(Word)); }
};

struct LongBlock {
  explicit LongBlock(size_t bytes) : bytes_(bytes) {}
  size_t bytes() const { return bytes_; }
  void Copy(uint8_t* to, const uint8_t* from) const { std::memcpy(to, from, bytes_); }
  void Clear(uint8_t* to) const { std::memset(to, 0, bytes_); }

 private:
  size_t bytes_;
};

// Calls run(block) with the kind of block that has so many bytes.
template <class Run>
void WithBlock(size_t bytes, const Run& run) {
  switch (bytes) {
    case 1: return run(WordBlock<uint8_t>(bytes));
    case 2: return run(WordBlock<uint16_t>(bytes));
    case 4: return run(WordBlock<uint32_t>(bytes));
    case 8: return run(WordBlock<uint64_t>(bytes));
    default: return run(LongBlock(bytes));
  }
}

}  // namespace lowp
