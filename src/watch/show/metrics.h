#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <string>

#include "watch/reading.h"

namespace vtax::watch {

// Readings added up to counters since the begin, as OpenMetrics (docs/top.md has the names). No counter ever
// falls: a guest that is gone keeps its counters for `kKept`, so that the next scrape has its last seconds,
// and goes on from there if it comes back meanwhile.
class Metrics {
 public:
  static constexpr std::chrono::minutes kKept{5};
  // Of guests that are gone: where many come and go, the first of them are forgotten early.
  static constexpr std::size_t kMostGone = 1'000;

  void take(const Reading& reading);
  void write(std::ostream& out) const;

 private:
  struct Sums {
    GuestUse latest;  // what is no counter is its latest
    bool is_here = false;
    std::chrono::system_clock::time_point seen;
    std::uint64_t own_ns = 0;
    CausedTime caused;
    std::optional<std::uint64_t> waiting_ns, blocked_ns, switches, exits;
    std::optional<NetworkUse> network;
    std::optional<DiskUse> disk;
  };
  void forget(std::chrono::system_clock::time_point now);

  std::map<std::string, Sums> guests_;  // by name, as a label has it
  OtherTime other_;
  std::string driver_;
  std::uint64_t all_cpus_ns_ = 0, readings_ = 0, missing_ = 0;
};

}  // namespace vtax::watch
