// Copies of blocks in plain C++: the specification, and the fastest way for runs and fills.
#include <algorithm>
#include <cstring>

#include "kernels/copy/block.h"

namespace lowp {
namespace {

// Runs of kLow to 2 * kLow bytes as two moves that may overlap.
template <size_t kLow>
void RunsOfTwoMoves(const CopyBlock& block, size_t bytes) {
  const uint8_t* x = block.x;
  uint8_t* y = block.y;
  const size_t second = bytes - kLow;
  for (size_t a = 0; a < block.na; a++, x += block.in_a, y += block.out_a) {
    uint8_t head[kLow], tail[kLow];
    std::memcpy(head, x, kLow);
    std::memcpy(tail, x + second, kLow);
    std::memcpy(y, head, kLow);
    std::memcpy(y + second, tail, kLow);
  }
}

template <size_t kSize>
void Runs(const CopyBlock& block) {
  const size_t bytes = block.nb * kSize;
  if (bytes >= 2 && bytes <= 4) return RunsOfTwoMoves<2>(block, bytes);
  if (bytes > 4 && bytes <= 8) return RunsOfTwoMoves<4>(block, bytes);
  if (bytes > 8 && bytes <= 16) return RunsOfTwoMoves<8>(block, bytes);
  if (bytes > 16 && bytes <= 32) return RunsOfTwoMoves<16>(block, bytes);
  if (bytes > 32 && bytes <= 64) return RunsOfTwoMoves<32>(block, bytes);
  for (size_t a = 0; a < block.na; a++) {
    const ptrdiff_t at = static_cast<ptrdiff_t>(a);
    std::memcpy(block.y + at * block.out_a, block.x + at * block.in_a, bytes);
  }
}

template <class T>
void Fill(const CopyBlock& block) {
  for (size_t a = 0; a < block.na; a++) {
    const ptrdiff_t at = static_cast<ptrdiff_t>(a);
    T value;
    std::memcpy(&value, block.x + at * block.in_a, sizeof(T));
    std::fill_n(reinterpret_cast<T*>(block.y + at * block.out_a), block.nb, value);
  }
}

template <class T>
void Strided(const CopyBlock& block) {
  for (size_t a = 0; a < block.na; a++) {
    const uint8_t* x = block.x + static_cast<ptrdiff_t>(a) * block.in_a;
    uint8_t* y = block.y + static_cast<ptrdiff_t>(a) * block.out_a;
    for (size_t b = 0; b < block.nb; b++, x += block.in_b, y += block.out_b) std::memcpy(y, x, sizeof(T));
  }
}

// In squares that fit a few cache lines of both sides.
template <class T>
void Transpose(const CopyBlock& block) {
  constexpr size_t kSide = 16;
  for (size_t b = 0; b < block.nb; b += kSide) {
    for (size_t a = 0; a < block.na; a += kSide) {
      CopyBlock square = block;
      square.x += static_cast<ptrdiff_t>(a) * block.in_a + static_cast<ptrdiff_t>(b) * block.in_b;
      square.y += static_cast<ptrdiff_t>(a) * block.out_a + static_cast<ptrdiff_t>(b) * block.out_b;
      square.na = std::min(kSide, block.na - a);
      square.nb = std::min(kSide, block.nb - b);
      Strided<T>(square);
    }
  }
}

}  // namespace

extern const CopyRow copy_scalar_rows[16] = {
    {"copy_runs_x8_scalar", Isa::kScalar, CopyShape::kRuns, 1, 1, Runs<1>},
    {"copy_runs_x16_scalar", Isa::kScalar, CopyShape::kRuns, 2, 1, Runs<2>},
    {"copy_runs_x32_scalar", Isa::kScalar, CopyShape::kRuns, 4, 1, Runs<4>},
    {"copy_runs_x64_scalar", Isa::kScalar, CopyShape::kRuns, 8, 1, Runs<8>},
    {"copy_fill_x8_scalar", Isa::kScalar, CopyShape::kFill, 1, 1, Fill<uint8_t>},
    {"copy_fill_x16_scalar", Isa::kScalar, CopyShape::kFill, 2, 1, Fill<uint16_t>},
    {"copy_fill_x32_scalar", Isa::kScalar, CopyShape::kFill, 4, 1, Fill<uint32_t>},
    {"copy_fill_x64_scalar", Isa::kScalar, CopyShape::kFill, 8, 1, Fill<uint64_t>},
    {"copy_transpose_x8_scalar_16x16", Isa::kScalar, CopyShape::kTranspose, 1, 1, Transpose<uint8_t>},
    {"copy_transpose_x16_scalar_16x16", Isa::kScalar, CopyShape::kTranspose, 2, 1, Transpose<uint16_t>},
    {"copy_transpose_x32_scalar_16x16", Isa::kScalar, CopyShape::kTranspose, 4, 1, Transpose<uint32_t>},
    {"copy_transpose_x64_scalar_16x16", Isa::kScalar, CopyShape::kTranspose, 8, 1, Transpose<uint64_t>},
    {"copy_strided_x8_scalar", Isa::kScalar, CopyShape::kStrided, 1, 1, Strided<uint8_t>},
    {"copy_strided_x16_scalar", Isa::kScalar, CopyShape::kStrided, 2, 1, Strided<uint16_t>},
    {"copy_strided_x32_scalar", Isa::kScalar, CopyShape::kStrided, 4, 1, Strided<uint32_t>},
    {"copy_strided_x64_scalar", Isa::kScalar, CopyShape::kStrided, 8, 1, Strided<uint64_t>},
};

}  // namespace lowp
