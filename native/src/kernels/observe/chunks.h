// How observers cut a tensor [items, outer, channels, inner] into chunks, and how the chunks become statistics.
//
// The cut is part of the results: changing it changes sums in the last bits.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>

#include "kernels/flat_tiles.h"
#include "kernels/kernel.h"
#include "kernels/observe/rows.h"

namespace lowp {

constexpr size_t kObserveStatistics = 5;

class ObserveChunks {
 public:
  // `stride`: from one row of columns to the next; 0: the channels.
  ObserveChunks(size_t items, size_t outer, size_t channels, size_t inner, bool per_channel, size_t stride = 0)
      : items_(items), stride_(stride ? stride : channels) {
    const size_t elements = outer * channels * inner;
    channels_ = per_channel ? channels : 1;
    count_ = elements / channels_;
    columns_ = channels_ > 1 && inner == 1;
    outer_ = channels_ > 1 ? outer : 1;
    inner_ = channels_ > 1 ? inner : elements;
    if (elements == 0) return;
    if (columns_) {
      chunks_ = CeilDiv(outer_, kChunkRows);
      tiles_ = chunks_ * CeilDiv(channels_, kObserveColumns);
    } else {
      pieces_ = CeilDiv(inner_, kChunkElements);
      runs_ = std::max<size_t>(1, kChunkElements / inner_);
      chunks_ = CeilDiv(outer_, runs_) * pieces_;
      tiles_ = chunks_ * channels_;
    }
  }

  // Elements that one tile covers: `count` runs of `run` elements, `stride` apart, or `count` rows of `run` channels.
  struct Tile {
    size_t offset;   // of the first element
    size_t run, count, stride;
    size_t partial;  // index of the first of the partials that the tile fills
  };

  Tile At(size_t tile) const {
    const size_t item = tile / tiles_;
    Tile t = InItem(tile % tiles_);
    t.offset += item * count_ * (columns_ ? stride_ : channels_);
    t.partial += item * chunks_ * channels_;
    return t;
  }

  // Tiles that read nothing but elements [begin, end) of the tensor; whole chunks of rows, or of a single sequence.
  IndexRange Within(IndexRange elements) const {
    if (tiles_ == 0 || items_ > 1 || (columns_ && stride_ != channels_) || (!columns_ && (channels_ > 1 || outer_ > 1))) return {};
    const size_t chunk = columns_ ? kChunkRows * channels_ : kChunkElements, all = count_ * channels_;
    const size_t first = CeilDiv(elements.begin, chunk);
    const size_t last = elements.end >= all ? chunks_ : elements.end / chunk;
    const size_t each = tiles_ / chunks_;
    return last > first ? IndexRange{first * each, last * each} : IndexRange{};
  }

  bool columns() const { return columns_; }
  size_t tiles() const { return items_ * tiles_; }
  // One for each chunk of each channel of each item.
  size_t partials() const { return items_ * chunks_ * channels_; }
  // Tiles of the phase that combines.
  size_t combine_tiles() const { return CeilDiv(results(), kCombineTile); }

  // Calls combine(r) for the results of combining tiles [begin, end): result r is that of channel r % channels of item
  // r / channels.
  template <class Combine>
  void ForResults(size_t begin, size_t end, Combine combine) const {
    const size_t last = std::min(results(), end * kCombineTile);
    for (size_t r = begin * kCombineTile; r < last; r++) combine(r);
  }

  // Calls take(i) for the partials of result r in order.
  template <class Take>
  void ForChunks(size_t r, Take take) const {
    const size_t first = r / channels_ * chunks_ * channels_ + r % channels_;
    for (size_t chunk = 0; chunk < chunks_; chunk++) take(first + chunk * channels_);
  }

  // The chunks of result r in order, added to 0.
  ObservePartial Sum(const ObservePartial* partials, size_t r) const {
    ObservePartial total{0.0, INFINITY, -INFINITY, 0};
    ForChunks(r, [&](size_t i) {
      const ObservePartial& p = partials[i];
      total.sum += p.sum;
      total.min = std::min(total.min, p.min);
      total.max = std::max(total.max, p.max);
      total.non_finite += p.non_finite;
    });
    return total;
  }

  // Writes the five rows of result r.
  void Write(const ObservePartial& total, size_t r, float* y) const {
    const size_t finite = count_ - total.non_finite, row = results();
    // Adding +0 turns -0 into +0.
    y[r] = finite ? total.min + 0.0f : 0.0f;
    y[row + r] = finite ? total.max + 0.0f : 0.0f;
    y[2 * row + r] = finite ? std::max(std::fabs(total.min), std::fabs(total.max)) : 0.0f;
    y[3 * row + r] = finite ? static_cast<float>(total.sum / static_cast<double>(finite)) : 0.0f;
    y[4 * row + r] = static_cast<float>(total.non_finite);
  }

 private:
  static constexpr size_t kChunkElements = 16384;
  static constexpr size_t kChunkRows = 256;
  static constexpr size_t kCombineTile = 64;

  size_t results() const { return items_ * channels_; }

  Tile InItem(size_t tile) const {
    if (columns_) {
      const size_t strips = CeilDiv(channels_, kObserveColumns);
      const size_t chunk = tile / strips, c = tile % strips * kObserveColumns;
      const size_t first = chunk * kChunkRows;
      return {first * stride_ + c, std::min(kObserveColumns, channels_ - c), std::min(kChunkRows, outer_ - first),
              stride_, chunk * channels_ + c};
    }
    const size_t chunk = tile / channels_, c = tile % channels_;
    const size_t outer = chunk / pieces_ * runs_, at = chunk % pieces_ * kChunkElements;
    return {(outer * channels_ + c) * inner_ + at, std::min(kChunkElements, inner_ - at),
            std::min(runs_, outer_ - outer), channels_ * inner_, tile};
  }

  size_t items_;
  size_t stride_;    // of rows of columns
  size_t channels_;  // results of one item
  size_t count_;     // elements per result
  size_t outer_, inner_;
  size_t chunks_ = 0;  // per result
  size_t pieces_ = 1;  // chunks of one run
  size_t runs_ = 1;    // runs of one chunk
  size_t tiles_ = 0;   // of one item
  bool columns_;
};

}  // namespace lowp
