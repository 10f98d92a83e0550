#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "meter/softirq_clock.h"
#include "platform/platform.h"

namespace vtax::host {

using SoftirqTimes = std::map<meter::SoftirqClock::Key, std::vector<std::uint64_t>>;

// The numbers of the network namespaces of a trial: this process's, and those of the bench's processes.
[[nodiscard]] std::set<std::uint32_t> namespaces_of(const std::vector<MeteredProcess>& processes);

// Watches the network softirqs of the window, if this kernel and user may; otherwise says why not.
class SoftirqWatch {
 public:
  SoftirqWatch();
  void begin() { before_ = read(); }
  void end() { after_ = read(); }
  [[nodiscard]] const SoftirqTimes& at_end() const { return after_; }
  [[nodiscard]] SoftirqTimes read() const;

  // What no thread of the trial had in its books until then, by CPU.
  [[nodiscard]] std::map<int, std::uint64_t> packets(const std::set<std::uint32_t>& namespaces,
                                                     const SoftirqTimes& until) const;

  // docs/report-schema.md, `provenance` on the host.
  void describe(nlohmann::json& meter, const std::set<std::uint32_t>& namespaces) const;

 private:
  template <class Use>
  void each(const SoftirqTimes& until, const Use& use) const {
    for (const auto& [key, values] : until) {
      const auto earlier = before_.find(key);
      for (std::size_t cpu = 0; cpu < values.size(); ++cpu) {
        const std::uint64_t start = earlier == before_.end() ? 0 : earlier->second[cpu];
        use(key, static_cast<int>(cpu), values[cpu] - std::min(start, values[cpu]));
      }
    }
  }

  std::optional<meter::SoftirqClock> clock_;
  std::string why_not_;
  SoftirqTimes before_, after_;
};

}  // namespace vtax::host
