// Lists of regions as two-stage detectors make them: rows of image, x0, y0, x1, y1; image -1 ends the list.
#pragma once
#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/kernel.h"

namespace lowp {

// First and last + 1 element of an axis.
struct ElementRange {
  size_t first = 0, end = 0;
  size_t Count() const { return end > first ? end - first : 0; }
};

// Whole numbers cut to an axis: the first to [0, last_first], the end to [0, size]; nothing when one of them is NaN.
inline ElementRange RangeInside(double first, double end, size_t last_first, size_t size) {
  if (!(first == first && end == end)) return {};
  const auto inside = [](double v, size_t most) {
    return static_cast<size_t>(std::min(std::max(v, 0.0), static_cast<double>(most)));
  };
  return {inside(first, last_first), inside(end, size)};
}

struct RegionList {
  const float* rows = nullptr;
  size_t count = 0;
  uint32_t images = 1;

  const float* Corners(size_t region) const { return rows + 5 * region + 1; }
  size_t ImageOf(size_t region) const { return static_cast<size_t>(std::trunc(rows[5 * region])); }
  bool Ends(size_t region) const { return std::trunc(rows[5 * region]) == -1; }
  bool HasImage(size_t region) const {
    const float image = std::trunc(rows[5 * region]);
    return image >= 0 && image < static_cast<float>(images);
  }

  // Regions in front of the end of the list, or of the first one in an image that there is not, which is reported.
  size_t CountValid(Fault* fault) const {
    for (size_t region = 0; region < count; region++) {
      if (HasImage(region)) continue;
      if (!Ends(region)) fault->Report(region);
      return region;
    }
    return count;
  }

  std::string Describe(uint64_t region) const {
    const double image = std::trunc(rows[5 * region]);
    const bool is_number = std::fabs(image) < 1e15;
    return "region " + std::to_string(region) + " is in image " +
           (is_number ? std::to_string(static_cast<int64_t>(image)) : image != image ? "NaN" : "Infinity") +
           ", there are " + std::to_string(images);
  }
};

}  // namespace lowp
