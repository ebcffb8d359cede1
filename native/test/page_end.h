// Memory that ends where no page follows, but for what brings its start to a multiple of 8: reading or writing behind it
// ends the process. With LOWP_READABLE_ENDS set, as
// QEMU needs it, which reads what a masked load leaves out, a page follows.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace lowp::test {

class PageEnd {
 public:
  // As many bytes as there are at `content`, which they hold first.
  PageEnd(const void* content, size_t bytes) : bytes_(bytes) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE)), pages = (bytes + page - 1) / page;
    mapped_ = (pages + 1) * page;
    base_ = static_cast<uint8_t*>(mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (!std::getenv("LOWP_READABLE_ENDS")) mprotect(base_ + pages * page, page, PROT_NONE);
    data_ = base_ + pages * page - (bytes + 7) / 8 * 8;
    std::memset(data_ + bytes, kRest, Rest());
    if (bytes > 0) std::memcpy(data_, content, bytes);
  }
  ~PageEnd() { munmap(base_, mapped_); }
  PageEnd(const PageEnd&) = delete;
  PageEnd& operator=(const PageEnd&) = delete;

  uint8_t* data() const { return data_; }
  bool rest_intact() const {
    for (size_t i = 0; i < Rest(); i++)
      if (data_[bytes_ + i] != kRest) return false;
    return true;
  }
  void CopyTo(void* to) const {
    if (bytes_ > 0) std::memcpy(to, data_, bytes_);
  }

 private:
  static constexpr uint8_t kRest = 0xA5;
  size_t Rest() const { return (bytes_ + 7) / 8 * 8 - bytes_; }

  uint8_t* base_ = nullptr;
  uint8_t* data_ = nullptr;
  size_t bytes_;
  size_t mapped_ = 0;
};

}  // namespace lowp::test
