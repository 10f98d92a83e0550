#include "query/function_calls.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>

#include "core/readable.h"
#include "core/text_table.h"
#include "query/phrase.h"
#include "query/profile_stack.h"

namespace vtax {
namespace {

constexpr std::size_t kLongestFunction = 30;

bool matches(const std::string& function, const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return fnmatch(pattern.c_str(), function.c_str(), 0) == 0;
  });
}

// Starts of one cell, added up.
struct Sums {
  Factors factors;
  Work work;
  std::map<FunctionCost, FunctionCost> functions;  // by who, without amounts
};

void add(const Trial& trial, const std::vector<std::string>& patterns, Sums& into) {
  into.work.bytes += trial.work.bytes;
  into.work.packets += trial.work.packets;
  into.work.transactions += trial.work.transactions;
  for (const FunctionCost& cost : trial.functions) {
    if (!matches(cost.function, patterns)) continue;
    FunctionCost who = cost;
    who.instructions = {};
    who.calls.reset();
    const auto [at, is_first] = into.functions.emplace(std::move(who), cost);
    if (is_first) continue;
    at->second.instructions += cost.instructions;
    if (at->second.calls && cost.calls)
      *at->second.calls += *cost.calls;
    else
      at->second.calls.reset();
  }
}

CellFunctions uses_of(Sums sums) {
  CellFunctions cell{std::move(sums.factors), {}};
  for (auto& [who, cost] : sums.functions) cell.uses.push_back({cost, sums.work});
  std::stable_sort(cell.uses.begin(), cell.uses.end(), [](const FunctionUse& a, const FunctionUse& b) {
    return a.who.instructions > b.who.instructions;
  });
  return cell;
}

std::string text_or_dash(const std::optional<double>& value) {
  if (!value) return "-";
  // Of rare calls the figures count, not their hundredths.
  return *value > 0 && *value < 1 ? fmt::format("{:.3g}", *value) : readable(*value);
}

}  // namespace

std::optional<double> FunctionUse::calls_per_unit(Unit unit) const {
  return who.calls ? per_unit(*who.calls, work, unit) : std::nullopt;
}

std::optional<double> FunctionUse::instructions_per_call() const {
  if (!who.calls || *who.calls == 0) return std::nullopt;
  return static_cast<double>(who.instructions.value) / static_cast<double>(*who.calls);
}

Result<std::vector<CellFunctions>> read_function_calls(RunReader& reader,
                                                       const std::vector<std::string>& patterns) {
  const std::string what =
      fmt::format("cannot show {}", printable(fmt::format("{}", fmt::join(patterns, ", "))));
  std::vector<Sums> cells;
  std::map<Factors, std::size_t> places;
  bool has_functions = false;
  const auto read = reader.for_each(RunReader::Detail::all, [&](const Trial& trial) {
    if (!trial.error.empty() || is_perturbed(trial)) return Result<>();
    has_functions = has_functions || !trial.functions.empty();
    const auto [place, is_new] = places.emplace(cell_factors(trial), cells.size());
    if (is_new) cells.push_back({place->first, {}, {}});
    add(trial, patterns, cells[place->second]);
    return Result<>();
  });
  if (!read) return fail(read.error());
  if (!has_functions)
    return fail({what, "no functions were recorded", "the lab counts by function, machine host does not"});
  if (std::all_of(cells.begin(), cells.end(), [](const Sums& cell) { return cell.functions.empty(); }))
    return fail({what, "no function of this name ran in any window",
                 "names are the kernel's, Xen's and the program's symbols, * stands for any characters; "
                 "`vtax report RUN --format profile --trial N` lists those of a trial"});
  std::vector<CellFunctions> all;
  for (Sums& cell : cells) all.push_back(uses_of(std::move(cell)));
  return all;
}

void write_function_calls(const std::vector<CellFunctions>& cells, std::ostream& out) {
  VaryingFactors varying;
  for (const CellFunctions& cell : cells) varying.add(cell.factors);
  bool is_first = true;
  for (const CellFunctions& cell : cells) {
    if (!is_first) out << '\n';
    is_first = false;
    const std::string& workload = cell.factors.at("workload");
    print_wrapped(out, "", trial_name(cell.factors, varying.of(workload)));
    if (cell.uses.empty()) {
      out << "  none of them ran\n";
      continue;
    }
    const auto units = units_of(cell.uses.front().work);
    const std::string per = units.empty() ? "window" : std::string(noun(units.front(), workload));
    TextTable table({"  per " + per + ": function, who pays", "calls", "a call", "instructions"});
    for (const FunctionUse& use : cell.uses) {
      const auto amount = [&](std::optional<std::uint64_t> count) -> std::optional<double> {
        if (!count) return std::nullopt;
        return units.empty() ? static_cast<double>(*count) : per_unit(*count, use.work, units.front());
      };
      table.add({fmt::format("  {}, {} {}", printable(use.who.function, kLongestFunction),
                             printable(use.who.domain), layer_text(use.who)),
                 text_or_dash(amount(use.who.calls)), text_or_dash(use.instructions_per_call()),
                 text_or_dash(amount(use.who.instructions.value))});
    }
    table.print(out);
  }
  out << '\n';
  print_wrapped(
      out, "",
      "A call is an entry of the function's first block; all starts of a cell together. What was compiled "
      "into its callers is theirs. -: not counted, or not called.");
}

}  // namespace vtax
