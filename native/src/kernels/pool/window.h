// The windows of a pooling along its three axes, and the positions of each that are inside the input.
#pragma once
#include "base/aligned.h"
#include "kernels/kernel.h"
#include "kernels/pool/row.h"

namespace lowp {

// The windows along each axis.
struct PoolSpans {
  AlignedPtr<PoolSpan> planes, rows, columns;
};

// One axis, by the fields of params.
struct PoolAxis {
  int64_t in, out, kernel, stride, dilation, pad_begin, pad_end;

  Status Validate(const std::string& name) const;
  // `count` includes positions in the padding when `counts_padding`. Null when memory is exhausted.
  AlignedPtr<PoolSpan> Spans(bool counts_padding) const;

 private:
  // Number of kernel elements at coordinates below `limit`, for a window that begins at `start`.
  int64_t Below(int64_t start, int64_t limit) const;
};

struct PoolWindow {
  PoolAxis depth, height, width;

  // Errors begin with the kernel's name.
  Status Validate(const std::string& kernel) const;
  // A pointer is null when memory is exhausted.
  PoolSpans Spans(bool counts_padding) const {
    return {depth.Spans(counts_padding), height.Spans(counts_padding), width.Spans(counts_padding)};
  }
};

}  // namespace lowp
