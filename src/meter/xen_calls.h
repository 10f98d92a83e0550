#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "core/descriptor.h"
#include "core/result.h"

namespace vtax::meter {

struct XenDomain {
  int number = 0;
  std::array<std::uint8_t, 16> handle{};  // its UUID: a number is given again, this is not
  bool dying = false, virtualised = false, shut_down = false, paused = false;
  std::uint64_t pages = 0, most_pages = 0;  // of 4 KiB
  std::uint64_t busy_ns = 0;
  int virtual_cpus = 0;  // numbers below this one exist
};

struct XenVirtualCpu {
  bool online = false, blocked = false, running = false;
  std::uint64_t busy_ns = 0;
  int cpu = 0;  // physical, where it ran last
};

// Questions to Xen through /dev/xen/privcmd, in Domain-0, as root; they change nothing. Each is asked under
// every version of its interface of which the layout is known here (domctl 6 to 23, sysctl 12 to 21: Xen 4.6
// to 4.20 for all of them); Xen refuses all numbers but its own, so that no other layout is ever misread.
class XenCalls {
 public:
  // Error: unavailable where this is no Domain-0.
  [[nodiscard]] static Result<XenCalls> open();

  // Errors: unavailable, naming this Xen's version where it speaks none of them.
  [[nodiscard]] Result<std::optional<XenVirtualCpu>> virtual_cpu(int domain, int number);
  // The first domain whose number is not below `number`; nothing behind the last.
  [[nodiscard]] Result<std::optional<XenDomain>> domain_from(int number);
  [[nodiscard]] Result<int> physical_cpus();

 private:
  // A page that stays in memory while Xen writes to it.
  class Page {
   public:
    Page();
    Page(Page&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
    Page& operator=(Page&& other) noexcept {
      std::swap(at_, other.at_);
      return *this;
    }
    ~Page();
    [[nodiscard]] bool valid() const { return at_ != nullptr; }
    [[nodiscard]] void* renew();

   private:
    void* at_;
  };

  // Asks under each version; `prepare` writes the request.
  template <class Prepare>
  [[nodiscard]] Result<int> ask(std::uint64_t operation, std::uint32_t& version, std::uint32_t newest,
                                const Prepare& prepare);

  Descriptor device_;
  Page request_, answer_;
  std::uint32_t domctl_ = 6, sysctl_ = 12;
};

}  // namespace vtax::meter
