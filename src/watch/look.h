#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "meter/cpu_clock.h"
#include "meter/cpu_reading.h"
#include "meter/group_books.h"
#include "meter/link_books.h"
#include "meter/process_table.h"
#include "watch/reading.h"

namespace vtax::watch {

// What the books of a computer say at one moment: counters, as they stand. charge.h makes a reading of two.

struct GuestLook {
  // Of hypervisors and their helpers, and of containers with few tasks; by thread.
  std::map<int, meter::ThreadReading> threads;
  bool all_threads = false;  // false: there are more than are read
  std::optional<meter::GroupReading> group;
  std::optional<NetworkUse> network;  // as the guest sees it
  std::optional<DiskUse> disk;
  MemoryUse memory;
  std::optional<std::uint64_t> exits;
  bool paused = false;
};

struct XenDomainLook {
  std::array<std::uint8_t, 16> handle{};
  std::vector<std::uint64_t> virtual_cpus_ns;
  std::vector<int> cpus;  // physical, on which each ran last
};

struct XenLook {
  int physical_cpus = 0;
  std::map<int, XenDomainLook> domains;  // 0 among them
};

struct Look {
  std::chrono::steady_clock::time_point at;
  std::chrono::system_clock::time_point wall;
  std::map<int, meter::CpuTicks> ticks;
  std::optional<meter::ClockLap> lap;  // since the look before
  bool clock_sees_guests = false;
  std::uint64_t vtax_ns = 0;                // this process's CPU time
  std::map<std::string, GuestLook> guests;  // by KnownGuest::identity
  std::optional<XenLook> xen;
};

}  // namespace vtax::watch
