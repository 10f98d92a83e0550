#include "report/trial_list.h"

#include <fmt/format.h>

#include <vector>

#include "core/readable.h"
#include "report/cell.h"
#include "report/phrase.h"

namespace vtax {
namespace {

struct Line {
  std::uint64_t number = 0;
  int repetition = 1;
  Factors factors;
  std::string cost;
};

std::string cost_of_trial(const Trial& trial) {
  if (!trial.error.empty()) return "failed";
  const WindowCost cost = window_cost(trial);
  const auto units = units_of(cost.work);
  if (units.empty()) return "no work";
  return fmt::format("{} per {}", readable(per_unit(cost.total, cost.work, units.front()).value_or(0)),
                     noun(units.front(), trial.factors.at("workload")));
}

}  // namespace

Result<> write_trial_list(RunReader& reader, std::ostream& out) {
  std::vector<Line> lines;
  CostsOfTrials all(reader.header());
  auto read = reader.for_each(RunReader::Detail::costs, [&](const Trial& trial) {
    lines.push_back({number_of(trial.index), trial.repetition, trial.factors, cost_of_trial(trial)});
    all.add(trial);
    return Result<>();
  });
  if (!read) return read;
  const RunCosts costs = all.take();
  std::size_t widest = 5;
  for (const Line& line : lines) widest = std::max(widest, std::to_string(line.number).size());
  out << fmt::format("{:>{}}\n", "trial", widest);
  for (const Line& line : lines) {
    std::string text = trial_name(line.factors, varying_factors(costs.cells, line.factors.at("workload")));
    if (line.repetition > 1) text += fmt::format(", run {}", line.repetition);
    print_wrapped(out, fmt::format("{:>{}}  ", line.number, widest), text + ": " + line.cost);
  }
  if (!lines.empty())
    out << fmt::format("\nCosts are {}. A trial's profile: --format profile --trial N\n",
                       unit_of_cost(costs));
  return {};
}

}  // namespace vtax
