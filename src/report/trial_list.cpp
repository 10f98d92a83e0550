#include "report/trial_list.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/readable.h"
#include "core/text_table.h"
#include "query/cell.h"
#include "query/cost_text.h"
#include "query/phrase.h"

namespace vtax {
namespace {

std::string cost_of_trial(const Trial& trial) {
  if (!trial.error.empty()) return "failed";
  const WindowCost cost = window_cost(trial);
  const auto units = units_of(cost.work);
  if (units.empty()) return "no work";
  return fmt::format("{} per {}",
                     cost_text(per_unit(cost.total, cost.work, units.front()).value_or(0), cost.in_time),
                     noun(units.front(), trial.factors.at("workload")));
}

}  // namespace

// Reads twice, so that a long run needs no memory: how trials are named is known when all were seen.
Result<> write_trial_list(RunReader& reader, std::ostream& out) {
  VaryingFactors varying;
  std::size_t widest = 5, trials = 0;
  bool is_in_time = false;
  auto seen = reader.for_each(RunReader::Detail::costs, [&](const Trial& trial) {
    varying.add(cell_factors(trial));
    widest = std::max(widest, std::to_string(number_of(trial.index)).size());
    ++trials;
    is_in_time = is_in_time || machine_cpu_ns(trial);
    return Result<>();
  });
  if (!seen) return seen;
  out << fmt::format("{:>{}}\n", "trial", widest);
  auto written = reader.for_each(RunReader::Detail::costs, [&](const Trial& trial) {
    std::string text = trial_name(trial.factors, varying.of(trial.factors.at("workload")));
    if (trial.repetition > 1) text += fmt::format(", run {}", trial.repetition);
    print_wrapped(out, fmt::format("{:>{}}  ", number_of(trial.index), widest),
                  text + ": " + cost_of_trial(trial));
    return Result<>();
  });
  if (!written) return written;
  if (trials > 0)
    out << fmt::format("\nCosts are {}. A trial's profile: --format profile --trial N\n",
                       is_in_time ? "CPU time" : "instructions");
  return {};
}

}  // namespace vtax
