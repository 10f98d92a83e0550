#include "cli/time_left.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vtax {

void TimeLeft::finish(std::uint64_t trial, const std::string& kind, Clock::time_point now) {
  Kind& its = kinds_[kind];
  if (its.left > 0) --its.left;
  const auto started = started_.find(trial);
  if (started == started_.end()) return;
  ++its.done;
  its.spent += now - started->second;
  started_.erase(started);
}

void TimeLeft::boots(std::size_t left, std::size_t done, std::chrono::nanoseconds spent) {
  boots_left_ = left;
  boots_done_ = done;
  booting_ = spent;
}

std::optional<TimeLeft::Estimate> TimeLeft::estimate() const {
  Kind all;
  for (const auto& [name, kind] : kinds_) {
    all.left += kind.left;
    all.done += kind.done;
    all.spent += kind.spent;
  }
  if (all.done == 0) return std::nullopt;
  Seconds work{0};
  for (const auto& [name, kind] : kinds_) {
    const Kind& known = kind.done > 0 ? kind : all;  // of a kind that has not run yet all others tell most
    work += known.spent / static_cast<double>(known.done) * static_cast<double>(kind.left);
  }
  if (boots_done_ > 0) work += booting_ / static_cast<double>(boots_done_) * static_cast<double>(boots_left_);
  const auto at_once = std::clamp<std::size_t>(all.left + boots_left_, 1, static_cast<std::size_t>(workers_));
  return Estimate{work / static_cast<double>(at_once), boots_left_ == 0 || boots_done_ > 0};
}

std::string left_text(const std::optional<TimeLeft::Estimate>& estimate) {
  if (!estimate) return "";
  const auto seconds = std::lround(estimate->seconds.count());
  return (seconds < 100 ? fmt::format(", about {} s left", seconds)
                        : fmt::format(", about {} min left", (seconds + 59) / 60)) +
         (estimate->counts_boots ? "" : ", boots not counted");
}

}  // namespace vtax
