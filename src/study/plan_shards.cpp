#include "study/plan_shards.h"

#include <fmt/format.h>

#include <map>

#include "core/readable.h"

namespace vtax {
namespace {

// By its factors each cell's number, in the order of the plan.
std::map<std::map<std::string, std::string>, std::uint64_t> numbered_cells(const Plan& plan) {
  std::map<std::map<std::string, std::string>, std::uint64_t> numbers;
  for (const PlannedTrial& trial : plan.trials) numbers.emplace(trial.factors, numbers.size());
  return numbers;
}

}  // namespace

std::uint64_t count_cells(const Plan& plan) {
  return numbered_cells(plan).size();
}

Result<std::set<std::uint64_t>> trials_of(const Plan& plan, const Shard& shard) {
  const auto numbers = numbered_cells(plan);
  if (shard.of > numbers.size())
    return fail({fmt::format("cannot take share {} of study {}", text_of(shard), printable(plan.study.name)),
                 fmt::format("it has {} cells, so some shares would be empty", numbers.size()),
                 fmt::format("make it {} shares at most", numbers.size())});
  std::set<std::uint64_t> trials;
  for (const PlannedTrial& trial : plan.trials)
    if (numbers.at(trial.factors) % shard.of == shard.number) trials.insert(trial.index);
  return trials;
}

}  // namespace vtax
