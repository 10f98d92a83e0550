#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/units.h"

namespace vtax {

// What a network device has counted since it was made, as in /proc/net/dev of the caller's network namespace.
struct DeviceCounters {
  std::string device;
  Packets received, sent;
  Bytes received_bytes, sent_bytes;
  Packets dropped = {};  // in either direction, for want of room
};

// In the order of `devices`. `file`: of another network namespace that of one of its processes. Error: one of
// them is not there.
[[nodiscard]] Result<std::vector<DeviceCounters>> read_counters(const std::vector<std::string>& devices,
                                                                const char* file = "/proc/self/net/dev");
[[nodiscard]] Result<DeviceCounters> find_counters(std::string_view proc_net_dev, const std::string& device);

// after - before; both of one device.
[[nodiscard]] DeviceCounters difference(const DeviceCounters& before, const DeviceCounters& after);

}  // namespace vtax
