#include "meter/perf_counter.h"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vtax::meter {

tl::expected<Descriptor, int> open_counter(const CountedEvent& event, CpuMode mode, int thread, int leader) {
  perf_event_attr attributes{};
  attributes.size = sizeof attributes;
  attributes.type = event.type;
  attributes.config = event.config;
  attributes.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  attributes.inherit = 1;
  const bool of_guest = mode == CpuMode::guest_user || mode == CpuMode::guest_kernel;
  attributes.exclude_host = of_guest;
  attributes.exclude_guest = !of_guest;
  attributes.exclude_user = mode == CpuMode::kernel || mode == CpuMode::guest_kernel;
  attributes.exclude_kernel = mode == CpuMode::user || mode == CpuMode::guest_user;
  // x86 has no such filter and does not mind.
  attributes.exclude_hv = 1;
  Descriptor counter(
      static_cast<int>(syscall(SYS_perf_event_open, &attributes, thread, -1, leader, PERF_FLAG_FD_CLOEXEC)));
  if (!counter.valid()) return tl::unexpected<int>(errno);
  return counter;
}

Result<CounterValue> read_counter(int descriptor) {
  std::uint64_t words[4] = {};  // one more than there should be
  ssize_t got = 0;
  do {
    got = read(descriptor, words, sizeof words);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return fail(system_error("cannot read a counter", errno));
  if (got != sizeof(CounterValue))
    return fail(Error{"cannot read a counter",
                      fmt::format("perf gave {} bytes and not {}", got, sizeof(CounterValue)), "",
                      ExitCode::unavailable});
  return CounterValue{words[0], words[1], words[2]};
}

std::optional<std::uint64_t> without_waiting(const CounterValue& counter) {
  if (counter.running_ns >= counter.enabled_ns) return counter.value;
  if (counter.running_ns == 0) return std::nullopt;
  return static_cast<std::uint64_t>(static_cast<double>(counter.value) *
                                    static_cast<double>(counter.enabled_ns) /
                                    static_cast<double>(counter.running_ns));
}

}  // namespace vtax::meter
