// Checks windows of a pooling and finds what of them is inside the input.
#include "kernels/pool/window.h"

#include <algorithm>

namespace lowp {
namespace {

constexpr int64_t kMaxCoordinate = int64_t{1} << 31;  // of any position

}  // namespace

Status PoolAxis::Validate(const std::string& name) const {
  LOWP_REQUIRE(in > 0 && out > 0 && kernel > 0 && stride > 0 && dilation > 0,
               name + ": input, output, kernel, stride and dilation must be positive");
  uint64_t last = 0, reach = 0;
  const bool fits = CheckedProduct(&last, out - 1, stride) && CheckedProduct(&reach, kernel - 1, dilation) &&
                    std::max(last, reach) < kMaxCoordinate && std::max({in, pad_begin, pad_end}) < kMaxCoordinate;
  LOWP_REQUIRE(fits, name + ": windows or padding reach beyond 2^31");
  return Status();
}

int64_t PoolAxis::Below(int64_t start, int64_t limit) const {
  if (start >= limit) return 0;
  return std::min(kernel, (limit - start + dilation - 1) / dilation);
}

AlignedPtr<PoolSpan> PoolAxis::Spans(bool counts_padding) const {
  AlignedPtr<PoolSpan> spans = AllocateAligned<PoolSpan>(static_cast<size_t>(out));
  for (int64_t o = 0; spans && o < out; o++) {
    const int64_t start = o * stride - pad_begin;
    const int64_t skipped = Below(start, 0), inside = Below(start, in) - skipped;
    PoolSpan& span = spans[static_cast<size_t>(o)];
    span.first = static_cast<uint32_t>(inside > 0 ? start + skipped * dilation : 0);
    span.length = static_cast<uint32_t>(inside);
    span.count = static_cast<uint64_t>(counts_padding ? Below(start, in + pad_end) : inside);
  }
  return spans;
}

Status PoolWindow::Validate(const std::string& kernel) const {
  LOWP_RETURN_IF_ERROR(depth.Validate(kernel + ", along the depth"));
  LOWP_RETURN_IF_ERROR(height.Validate(kernel + ", along the height"));
  return width.Validate(kernel + ", along the width");
}

}  // namespace lowp
