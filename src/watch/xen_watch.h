#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/result.h"
#include "meter/xen_calls.h"
#include "platform/xenstore.h"
#include "watch/inventory.h"
#include "watch/look.h"

namespace vtax::watch {

// The domains of a Xen, seen from its Domain-0.
class XenWatch {
 public:
  // Nothing where this is no Domain-0, or this user may not ask Xen: `why_not` then says so. Error:
  // unavailable, where its Xen speaks an unknown interface.
  [[nodiscard]] static Result<std::optional<XenWatch>> open(std::string& why_not);

  struct Seen {
    XenLook look;
    std::map<int, XenDomainFacts> guests;
    std::map<int, MemoryUse> memory;
    std::map<int, bool> paused;
  };
  [[nodiscard]] Result<Seen> read();
  // Their times, which read() leaves zero: apart, so that they can be read next to the other books' times.
  [[nodiscard]] Result<> read_times(XenLook& look);
  // Names are xenstore's. Empty: it answers.
  [[nodiscard]] const std::string& why_no_names() const { return why_no_names_; }

 private:
  XenWatch(meter::XenCalls calls, std::optional<Xenstore> store)
      : calls_(std::move(calls)), store_(std::move(store)) {}
  struct Known {
    std::array<std::uint8_t, 16> handle{};
    std::string name;
    std::optional<std::uint64_t> most_bytes, target_bytes;
  };
  void ask_store(int domain, Known& known);

  meter::XenCalls calls_;
  std::optional<Xenstore> store_;
  std::string why_no_names_;
  std::map<int, Known> known_;
  std::uint64_t reads_ = 0;
};

}  // namespace vtax::watch
