#include "cli/described.h"

#include <set>

#include "account/event_table.h"
#include "cli/glossary.h"
#include "study/catalogue.h"
#include "study/find_study.h"

namespace vtax {
namespace {

Completed look_up() {
  Completed all;
  all.studies = built_in_studies();
  std::set<std::string> factors, assignments, explained;
  const auto add = [&](const std::vector<Factor>& some) {
    for (const Factor& factor : some) {
      factors.insert(std::string(factor.name) + "=");
      explained.emplace(factor.name);
      for (const std::string_view value : factor.choices)
        assignments.insert(std::string(factor.name) + "=" + std::string(value));
    }
  };
  add(common_factors());
  for (const WorkloadKind& workload : workloads()) {
    add(workload.factors);
    explained.emplace(workload.name);
    assignments.insert("workload=" + std::string(workload.name));
  }
  factors.insert("workload=");
  for (const PlatformFacts& platform : kPlatformTable) explained.emplace(platform.name);
  for (const EventKind& event : event_kinds()) explained.emplace(event.name);
  for (const GlossaryRow& row : glossary())
    if (row.word.find(' ') == std::string::npos) explained.insert(row.word);
  all.factors.assign(factors.begin(), factors.end());
  all.assignments.assign(assignments.begin(), assignments.end());
  all.explained.assign(explained.begin(), explained.end());
  return all;
}

}  // namespace

std::vector<const CLI::App*> verbs_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); });
}

std::vector<const CLI::Option*> options_of(const CLI::App& app) {
  return app.get_options(
      [](const CLI::Option* option) { return option->nonpositional() && !option->get_group().empty(); });
}

std::vector<const CLI::Option*> positionals_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

// CLI11 knows them as the type's name alone: "TEXT:{a,b}".
std::vector<std::string> values_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto begin = type.find(":{");
  std::vector<std::string> values;
  if (begin == std::string::npos || !type.ends_with('}')) return values;
  std::string_view rest = std::string_view(type).substr(begin + 2, type.size() - begin - 3);
  while (!rest.empty()) {
    const auto comma = std::min(rest.find(','), rest.size());
    values.emplace_back(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return values;
}

const Completed& completed() {
  static const Completed all = look_up();
  return all;
}

}  // namespace vtax
