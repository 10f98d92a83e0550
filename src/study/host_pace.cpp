#include "study/host_pace.h"

#include <algorithm>
#include <string>

namespace vtax {

double host_trial_seconds(const PlanCell& cell) {
  constexpr double kQuiet = 2.5, kBoot = 8, kTries = 1.3;
  const PlatformId platform = platform_of(cell).id;
  const bool has_boot = platform != PlatformId::native && platform != PlatformId::container;
  const auto window = cell.find("window_ms");
  const double window_seconds = window == cell.end() ? 0 : std::stod(window->second) / 1000;
  return kQuiet + (has_boot ? kBoot : 0) + kTries * window_seconds;
}

int host_repetitions(const std::vector<PlanCell>& cells) {
  constexpr double kMostSeconds = 600;
  constexpr int kMost = 5;  // the fewest that give an interval (core/statistics.h)
  double pass = 0;
  for (const PlanCell& cell : cells) pass += host_trial_seconds(cell);
  return std::clamp(static_cast<int>(kMostSeconds / std::max(pass, 1.0)), 1, kMost);
}

}  // namespace vtax
