#include "report/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "core/line_fit.h"
#include "core/readable.h"
#include "report/capacity.h"
#include "report/find_cell.h"

namespace vtax {
namespace {

Unit unit_named(std::string_view text) {
  for (const Unit unit : {Unit::packet, Unit::kilobyte}) {
    if (name(unit) == text) return unit;
  }
  return Unit::transaction;
}

std::uint64_t instructions_of(const WindowCost& cost, const Operand& operand) {
  const auto in_layers = [&](const LayerCosts& layers) {
    std::uint64_t sum = 0;
    for (const Layer layer : kLayers) {
      const bool wanted = operand.layers.empty() || std::find(operand.layers.begin(), operand.layers.end(),
                                                              layer) != operand.layers.end();
      if (wanted) sum += layers[static_cast<std::size_t>(layer)];
    }
    return sum;
  };
  if (operand.domain.empty()) return in_layers(cost.instructions);
  const auto found = cost.domains.find(operand.domain);
  return found == cost.domains.end() ? 0 : in_layers(found->second);
}

// Where nothing of a kind was counted, the run does not tell "none" from "not looked for".
Found<std::uint64_t> count_of(const WindowCost& cost, const Operand& operand) {
  if (operand.event.empty()) return instructions_of(cost, operand);
  const auto found = cost.events.find(operand.event);
  if (found == cost.events.end())
    return obstacle(fmt::format("cell {} counted no {}", cell_name(operand.factors), operand.event));
  return found->second;
}

Found<double> cost_of(const RunCosts& costs, const ClaimTest& test, const Operand& operand) {
  const auto cost = find_cost(costs, operand.factors);
  if (!cost) return tl::unexpected(cost.error());
  if (!operand.domain.empty() && (*cost)->domains.count(operand.domain) == 0) {
    return obstacle(
        fmt::format("cell {} has no domain {}", cell_name(operand.factors), printable(operand.domain)));
  }
  const auto counted = count_of(**cost, operand);
  if (!counted) return tl::unexpected(counted.error());
  const auto value = per_unit(*counted, (*cost)->work, unit_named(test.per));
  if (!value) return obstacle(fmt::format("cell {} counted no {}", cell_name(operand.factors), test.per));
  return *value;
}

Found<std::vector<Point>> points_of(const RunCosts& costs, const ClaimTest& test) {
  std::vector<Point> points;
  for (const std::string& text : test.over_values) {
    Operand operand = test.of;
    operand.factors[test.over] = text;
    const auto y = cost_of(costs, test, operand);
    if (!y) return tl::unexpected(y.error());
    std::uint64_t x = 0;
    std::from_chars(text.data(), text.data() + text.size(), x);  // canonical: digits
    points.push_back({static_cast<double>(x), *y});
  }
  return points;
}

Found<double> divided(double above, double below) {
  if (below == 0) return obstacle("the cost to divide by is 0 in this run");
  return above / below;
}

Found<double> rate_of(const RunCosts& costs, const Operand& operand,
                      const std::optional<Found<MachineSpeed>>& speed) {
  if (!speed) return obstacle("a rate needs the machine's speed: the study has no [speed]");
  if (!*speed) return tl::unexpected(speed->error());
  const auto cost = find_cost(costs, operand.factors);
  if (!cost) return tl::unexpected(cost.error());
  const auto allowed = capacity(**cost, **speed);
  if (!allowed) return obstacle(fmt::format("cell {} counted no work", cell_name(operand.factors)));
  return allowed->rate();
}

Found<double> ratio_of(const RunCosts& costs, const ClaimTest& test, const Operand& above,
                       const Operand& below) {
  const auto of = cost_of(costs, test, above);
  if (!of) return of;
  const auto to = cost_of(costs, test, below);
  if (!to) return to;
  return divided(*of, *to);
}

Found<double> points_between(const RunCosts& costs, const ClaimTest& test) {
  const auto of = ratio_of(costs, test, test.of, test.of_base);
  if (!of) return of;
  const auto to = ratio_of(costs, test, test.to, test.to_base);
  if (!to) return to;
  return 100 * (*of - *to);
}

Found<double> measure(const RunCosts& costs, const ClaimTest& test,
                      const std::optional<Found<MachineSpeed>>& speed) {
  if (test.formula == Formula::rate) return rate_of(costs, test.of, speed);
  if (test.formula == Formula::value) return cost_of(costs, test, test.of);
  if (test.formula == Formula::ratio) return ratio_of(costs, test, test.of, test.to);
  if (test.formula == Formula::points) return points_between(costs, test);
  const auto points = points_of(costs, test);
  if (!points) return tl::unexpected(points.error());
  if (test.formula == Formula::slope) {
    const auto fit = fit_line(*points);
    if (!fit) return obstacle("a slope needs two values of the factor");
    return fit->slope;
  }
  const auto less = [](const Point& a, const Point& b) { return a.y < b.y; };
  const auto [least, greatest] = std::minmax_element(points->begin(), points->end(), less);
  return divided(greatest->y, least->y);
}

// A claim's own figures, as short as they were written.
std::string exact(double value) {
  return fmt::format("{}", value);
}

std::string range_text(const ClaimTest& test) {
  if (test.at_least && test.at_most)
    return fmt::format("from {} to {}", exact(*test.at_least), exact(*test.at_most));
  return test.at_least ? fmt::format("at least {}", exact(*test.at_least))
                       : fmt::format("at most {}", exact(*test.at_most));
}

JudgedClaim judge(const Claim& claim, const RunCosts& costs,
                  const std::optional<Found<MachineSpeed>>& speed) {
  if (!claim.test) return {&claim, std::nullopt, Verdict::not_testable, claim.not_testable};
  const ClaimTest& test = *claim.test;
  const auto measured = measure(costs, test, speed);
  if (!measured) return {&claim, std::nullopt, Verdict::not_testable, measured.error().why};
  const bool holds =
      (!test.at_least || *measured >= *test.at_least) && (!test.at_most || *measured <= *test.at_most);
  std::string reason = fmt::format("{} is {}{}", readable(*measured), holds ? "" : "not ", range_text(test));
  if (!claim.note.empty()) reason += fmt::format("; {}", claim.note);
  return {&claim, *measured, holds ? Verdict::reproduced : Verdict::not_reproduced, std::move(reason)};
}

}  // namespace

std::string_view name(Verdict verdict) {
  switch (verdict) {
    case Verdict::reproduced:
      return "reproduced";
    case Verdict::not_reproduced:
      return "not reproduced";
    case Verdict::not_testable:
      return "not testable";
  }
  return "?";
}

std::vector<JudgedClaim> judge(const Published& published, const Run& header, const RunCosts& costs) {
  const auto speed = machine_speed(header, costs);
  std::vector<JudgedClaim> judged;
  for (const Claim& claim : published.claims) judged.push_back(judge(claim, costs, speed));
  return judged;
}

Result<std::optional<Published>> published_of(const Run& header) {
  const auto settings = nlohmann::json::parse(header.settings, nullptr, false);
  if (!settings.is_object() || !settings.contains("published")) return std::nullopt;
  const auto& stored = settings["published"];
  if (!stored.is_string())
    return fail({"cannot read the published claims of this run", "they are not text", ""});
  auto parsed = parse_published(stored.get<std::string>(), "of this run");
  if (!parsed) return fail(parsed.error());
  return std::optional<Published>(std::move(*parsed));
}

std::string published_figure(const Claim& claim) {
  if (claim.published.empty()) return claim.published_text;
  std::string text = exact(claim.published.front());
  if (claim.published.size() == 2) text += " to " + exact(claim.published.back());
  return claim.unit.empty() ? text : text + " " + claim.unit;
}

std::string count_verdicts(const std::vector<JudgedClaim>& judged) {
  const auto count = [&](Verdict verdict) {
    return std::count_if(judged.begin(), judged.end(),
                         [&](const JudgedClaim& j) { return j.verdict == verdict; });
  };
  return fmt::format("{} of {} claims reproduced, {} not reproduced, {} not testable here.",
                     count(Verdict::reproduced), judged.size(), count(Verdict::not_reproduced),
                     count(Verdict::not_testable));
}

}  // namespace vtax
