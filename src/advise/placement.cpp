#include "advise/placement.h"

#include <fmt/format.h>

#include <set>

#include "core/readable.h"
#include "study/catalogue.h"
#include "study/meaning.h"

namespace vtax::advise {
namespace {

constexpr std::string_view kMachine = "lab";  // whose cells a model knows

// Every combination of one value of each factor.
std::vector<Factors> combinations(const FactorValues& values) {
  std::vector<Factors> all{{}};
  for (const auto& [factor, choices] : values) {
    std::vector<Factors> longer;
    for (const Factors& so_far : all)
      for (const std::string& value : choices) {
        longer.push_back(so_far);
        longer.back()[factor] = value;
      }
    all = std::move(longer);
  }
  return all;
}

double count_of(const FactorValues& values) {
  double count = 1;
  for (const auto& [factor, choices] : values) count *= static_cast<double>(choices.size());
  return count;
}

FactorValues values_of(const Application& application) {
  FactorValues values = application.factors;
  values["guests"] = application.guests;
  return values;
}

// What a factor of a placement is said as: sizes with their unit.
std::string shown(const std::string& factor, const std::string& value, const std::string& workload) {
  const Factor* row = find_factor_of_any(factor, workload);
  const bool is_size = row != nullptr && row->type == FactorType::bytes;
  return fmt::format("{} {}", factor, is_size ? readable_bytes(std::stoull(value)) : printable(value));
}

}  // namespace

Result<std::vector<Placement>> placements_of(const Server& server,
                                             const std::vector<std::string>& platforms) {
  const std::string what = "cannot list the placements of " + server.name;
  double count = static_cast<double>(platforms.size()) * count_of(server.choices);
  for (const Application& application : server.applications) count *= count_of(values_of(application));
  if (count > kMostPlacements)
    return fail({what, fmt::format("{:.0f} are more than {:.0f}", count, kMostPlacements),
                 "name fewer values in [choose] and in the applications"});
  std::vector<Factors> commons;
  std::set<std::string> meaningful;
  for (const std::string& platform : platforms)
    for (Factors common : combinations(server.choices)) {
      common["platform"] = platform;
      common["topology"] = name_of(Topology::card);
      for (const auto& [factor, choices] : server.choices) {
        if (has_meaning(factor, kMachine, common))
          meaningful.insert(factor);
        else
          common.erase(factor);
      }
      if (std::find(commons.begin(), commons.end(), common) == commons.end())
        commons.push_back(std::move(common));
    }
  for (const auto& [factor, choices] : server.choices)
    if (!meaningful.contains(factor))
      return fail({what, fmt::format("{} means nothing on {}", factor, fmt::join(platforms, ", ")),
                   "leave it out of [choose]"});
  std::vector<Placement> all;
  for (const Factors& common : commons) {
    std::vector<Placement> some{{common}};
    for (const Application& application : server.applications) {
      std::vector<Placement> longer;
      for (const Placement& so_far : some)
        for (const Factors& own : combinations(values_of(application))) {
          Factors cell = common;
          cell.insert(own.begin(), own.end());
          cell["workload"] = application.workload;
          longer.push_back(so_far);
          longer.back().cells.push_back(std::move(cell));
        }
      some = std::move(longer);
    }
    all.insert(all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
  }
  return all;
}

PlacementNames::PlacementNames(const Server& server, const std::vector<Placement>& all) {
  for (const Application& application : server.applications) applications_.push_back(application.name);
  std::set<std::string> common;
  for (const auto& [factor, choices] : server.choices)
    if (choices.size() > 1) {
      common.insert(factor);
      parts_.push_back({applications_.size(), factor});
    }
  for (std::size_t i = 0; i < applications_.size(); ++i) {
    std::map<std::string, std::set<std::string>> seen;
    for (const Placement& placement : all)
      for (const auto& [factor, value] : placement.cells[i]) seen[factor].insert(value);
    for (const auto& [factor, values] : seen)
      if (values.size() > 1 && factor != "platform" && !common.contains(factor))
        parts_.push_back({i, factor});
  }
}

std::string PlacementNames::of(const Placement& placement) const {
  std::string name = placement.common.at("platform");
  for (const Part& part : parts_) {
    const bool is_common = part.application == applications_.size();
    const Factors& factors = is_common ? placement.common : placement.cells[part.application];
    const auto value = factors.find(part.factor);
    if (value == factors.end()) continue;
    const std::string owner =
        is_common || applications_.size() == 1 ? "" : applications_[part.application] + ": ";
    name +=
        ", " + owner +
        shown(part.factor, value->second, is_common ? "" : placement.cells[part.application].at("workload"));
  }
  return name;
}

}  // namespace vtax::advise
