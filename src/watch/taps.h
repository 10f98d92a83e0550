#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "meter/link_books.h"
#include "meter/process_table.h"

namespace vtax::watch {

// Which process holds which tap or macvtap, by its descriptors: libvirt hands these over, and names no
// device.
class TapHolders {
 public:
  // Looks at processes that hold none so far, when they are new or devices have come.
  void look(const std::vector<const meter::ProcessFacts*>& hypervisors,
            const std::vector<meter::LinkReading>& links);
  // Index of a device -> process.
  [[nodiscard]] const std::map<std::uint32_t, int>& all() const { return holders_; }

 private:
  std::map<std::uint32_t, int> holders_;
  std::map<int, std::uint64_t> born_;  // of those that were looked at
  std::set<std::uint32_t> devices_;
};

}  // namespace vtax::watch
