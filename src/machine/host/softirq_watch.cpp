#include "machine/host/softirq_watch.h"

#include <fmt/format.h>
#include <sys/stat.h>

namespace vtax::host {

using meter::SoftirqClock;

std::set<std::uint32_t> namespaces_of(const std::vector<MeteredProcess>& processes) {
  std::set<std::uint32_t> numbers;
  struct stat status {};
  if (stat("/proc/self/ns/net", &status) == 0) numbers.insert(static_cast<std::uint32_t>(status.st_ino));
  for (const MeteredProcess& metered : processes)
    if (stat(fmt::format("/proc/{}/ns/net", metered.process).c_str(), &status) == 0)
      numbers.insert(static_cast<std::uint32_t>(status.st_ino));
  return numbers;
}

SoftirqWatch::SoftirqWatch() {
  auto clock = SoftirqClock::start();
  if (clock)
    clock_.emplace(std::move(*clock));
  else
    why_not_ = clock.error().why;
}

SoftirqTimes SoftirqWatch::read() const {
  if (!clock_) return {};
  auto times = clock_->read();
  return times ? std::move(*times) : SoftirqTimes{};
}

std::map<int, std::uint64_t> SoftirqWatch::packets(const std::set<std::uint32_t>& namespaces,
                                                   const SoftirqTimes& until) const {
  std::map<int, std::uint64_t> out;
  each(until, [&](const SoftirqClock::Key& key, int cpu, std::uint64_t ns) {
    if (!key.on_own_thread && namespaces.contains(key.network_namespace)) out[cpu] += ns;
  });
  return out;
}

void SoftirqWatch::describe(nlohmann::json& meter, const std::set<std::uint32_t>& namespaces) const {
  if (!clock_) {
    meter["softirqs"] = "not watched: " + why_not_;
    return;
  }
  std::uint64_t own = 0, others = 0, foreign = 0;
  each(after_, [&](const SoftirqClock::Key& key, int, std::uint64_t ns) {
    if (namespaces.contains(key.network_namespace))
      (key.on_own_thread ? own : others) += ns;
    else if (key.on_own_thread)
      foreign += ns;
  });
  meter["softirqs"] = "watched by BPF";
  meter["packets_on_own_threads_ns"] = own;
  meter["packets_on_other_threads_ns"] = others;
  meter["foreign_packets_on_own_threads_ns"] = foreign;
}

}  // namespace vtax::host
