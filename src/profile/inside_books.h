#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/descriptor.h"
#include "core/result.h"
#include "watch/inside_use.h"

namespace vtax::profile {

// What the processes of this computer did since the last reading: by whole ticks, as top(1) reads them.
// Processes that ended meanwhile are not among them.
class InsideBooks {
 public:
  // Error: /proc cannot be read.
  [[nodiscard]] static Result<InsideBooks> open();
  [[nodiscard]] Result<watch::InsideUse> read();

 private:
  explicit InsideBooks(Descriptor proc) : proc_(std::move(proc)) {}

  Descriptor proc_;
  std::map<std::pair<int, std::uint64_t>, std::uint64_t> ticks_;  // by process and when it began
  std::uint64_t steal_ticks_ = 0;
  std::chrono::steady_clock::time_point at_;
  std::string buffer_;
};

// Of /proc/PID/stat; its second field may hold anything.
struct InsideLine {
  std::string name;
  std::uint64_t ticks = 0, threads = 0, born_ticks = 0;
};
[[nodiscard]] std::optional<InsideLine> parse_inside_line(std::string_view stat);

}  // namespace vtax::profile
