// The table of shared arrays. It exists while there are any, so that nothing is left at the end and no destructor runs
// at exit beside threads that still hold arrays.
#include "base/shared_array.h"

#include <array>
#include <mutex>
#include <unordered_map>

namespace lowp {
namespace {

// Digests of equal arrays are equal; different arrays of one size rarely share a digest, and then differ early or late.
uint64_t DigestOf(const uint8_t* bytes, size_t size) {
  constexpr size_t kSamples = 64;
  uint64_t digest = size;
  const size_t last = size - sizeof(uint64_t);
  for (size_t i = 0; i <= kSamples; i++) {
    uint64_t word = 0;
    std::memcpy(&word, bytes + last / kSamples * i + (i == kSamples ? last % kSamples : 0), sizeof(word));
    digest = (digest ^ word) * 0x9E3779B97F4A7C15u;  // 2^64 / golden ratio: multiplicative hashing, Knuth 6.4
    digest ^= digest >> 32;
  }
  return digest;
}

struct Entry {
  std::weak_ptr<const uint8_t> owner;
  const uint8_t* bytes = nullptr;  // tells entries of one digest apart
  size_t size = 0;
};

using Table = std::unordered_multimap<uint64_t, Entry>;

// Bounds the time for arrays that were made to have equal digests; what is not compared is not shared.
constexpr size_t kMostCompared = 8;

constinit std::mutex table_mutex;
constinit Table* table = nullptr;

void Remove(uint64_t digest, const uint8_t* bytes) {
  const std::lock_guard<std::mutex> lock(table_mutex);
  const auto [begin, end] = table->equal_range(digest);
  for (auto at = begin; at != end; ++at) {
    if (at->second.bytes != bytes) continue;
    table->erase(at);
    break;
  }
  if (!table->empty()) return;
  delete table;
  table = nullptr;
}

struct RemoveAndFree {
  uint64_t digest;
  void operator()(const uint8_t* bytes) const {
    Remove(digest, bytes);
    std::free(const_cast<uint8_t*>(bytes));
  }
};

}  // namespace

namespace shared_array {

std::shared_ptr<const uint8_t> Find(const uint8_t* bytes, size_t size) {
  if (size < kLeastSharedBytes) return nullptr;
  const uint64_t digest = DigestOf(bytes, size);
  // Compared, and dropped, outside of the lock: the last owner of an array takes it to remove the entry.
  std::array<std::shared_ptr<const uint8_t>, kMostCompared> candidates;
  size_t count = 0;
  {
    const std::lock_guard<std::mutex> lock(table_mutex);
    if (!table) return nullptr;
    const auto [begin, end] = table->equal_range(digest);
    for (auto at = begin; at != end && count < kMostCompared; ++at)
      if (at->second.size == size && (candidates[count] = at->second.owner.lock())) count++;
  }
  for (size_t i = 0; i < count; i++)
    if (std::memcmp(candidates[i].get(), bytes, size) == 0) return candidates[i];
  return nullptr;
}

std::shared_ptr<const uint8_t> Add(AlignedPtr<uint8_t> bytes, size_t size) {
  if (size < kLeastSharedBytes) return {bytes.release(), [](const uint8_t* p) { std::free(const_cast<uint8_t*>(p)); }};
  const uint8_t* address = bytes.get();
  const uint64_t digest = DigestOf(address, size);
  std::shared_ptr<const uint8_t> owner(bytes.release(), RemoveAndFree{digest});
  const std::lock_guard<std::mutex> lock(table_mutex);
  if (!table) table = new Table();
  table->emplace(digest, Entry{owner, address, size});
  return owner;
}

}  // namespace shared_array

SharedArray<uint8_t> ShareCopy(const uint8_t* bytes, size_t size) {
  std::shared_ptr<const uint8_t> known = shared_array::Find(bytes, size);
  if (known) return {std::move(known), size, true};
  AlignedPtr<uint8_t> copy = AllocateAligned<uint8_t>(size);
  if (!copy) return {};
  if (size > 0) std::memcpy(copy.get(), bytes, size);
  return {shared_array::Add(std::move(copy), size), size, false};
}

SharedTotals CountShared() {
  const std::lock_guard<std::mutex> lock(table_mutex);
  SharedTotals totals;
  if (!table) return totals;
  for (const auto& [digest, entry] : *table) {
    if (entry.owner.expired()) continue;
    totals.arrays++;
    totals.bytes += entry.size;
  }
  return totals;
}

}  // namespace lowp
