#include "workload/measure/device_counters.h"

#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>

namespace vtax {
namespace {

// The numbers after "NAME:", receive's eight columns and then transmit's (net/core/net-procfs.c).
constexpr std::size_t kColumns = 16;
constexpr std::size_t kReceivedBytes = 0, kReceivedPackets = 1, kSentBytes = 8, kSentPackets = 9,
                      kReceivedDropped = 3, kSentDropped = 11;

std::optional<std::array<std::uint64_t, kColumns>> numbers(std::string_view text) {
  std::array<std::uint64_t, kColumns> out{};
  for (std::uint64_t& value : out) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
  return out;
}

}  // namespace

Result<DeviceCounters> find_counters(std::string_view proc_net_dev, const std::string& device) {
  while (!proc_net_dev.empty()) {
    const std::size_t end = std::min(proc_net_dev.find('\n'), proc_net_dev.size());
    std::string_view line = proc_net_dev.substr(0, end);
    proc_net_dev.remove_prefix(std::min(end + 1, proc_net_dev.size()));
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || line.substr(0, colon) != device) continue;
    const auto values = numbers(line.substr(colon + 1));
    if (!values) break;
    return DeviceCounters{device,
                          Packets((*values)[kReceivedPackets]),
                          Packets((*values)[kSentPackets]),
                          Bytes((*values)[kReceivedBytes]),
                          Bytes((*values)[kSentBytes]),
                          Packets((*values)[kReceivedDropped] + (*values)[kSentDropped])};
  }
  return fail(
      Error{"read the counters of " + device, "/proc/net/dev does not have it", "", ExitCode::trial_failed});
}

Result<std::vector<DeviceCounters>> read_counters(const std::vector<std::string>& devices, const char* file) {
  std::ifstream in(file);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::vector<DeviceCounters> out;
  for (const std::string& device : devices) {
    Result<DeviceCounters> counters = find_counters(text, device);
    if (!counters) return fail(counters.error());
    out.push_back(*counters);
  }
  return out;
}

DeviceCounters difference(const DeviceCounters& before, const DeviceCounters& after) {
  return {after.device,
          Packets(after.received.value - before.received.value),
          Packets(after.sent.value - before.sent.value),
          Bytes(after.received_bytes.value - before.received_bytes.value),
          Bytes(after.sent_bytes.value - before.sent_bytes.value),
          Packets(after.dropped.value - before.dropped.value)};
}

}  // namespace vtax
