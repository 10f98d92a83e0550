#include "report/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "core/line_fit.h"
#include "core/readable.h"
#include "model/capacity.h"
#include "query/find_cell.h"
#include "query/measured.h"

namespace vtax {
namespace {

Unit unit_named(std::string_view text) {
  for (const Unit unit : {Unit::packet, Unit::kilobyte}) {
    if (name(unit) == text) return unit;
  }
  return Unit::transaction;
}

// A run that is asked about its cells, each looked for once: its median runs, or repetitions drawn from them.
class Asked {
 public:
  explicit Asked(const RunCosts& costs) : costs_(costs) {}

  [[nodiscard]] Found<const WindowCost*> cost(const Factors& factors) {
    auto [known, is_new] = cells_.try_emplace(factors, nullptr);
    if (is_new) known->second = find_cell(costs_, factors);
    if (!known->second) return tl::unexpected(known->second.error());
    const Cell* cell = *known->second;
    if (is_new) note(*cell);
    const Repeated& repeated = used_.at(cell);
    return repeated.drawn != nullptr ? repeated.drawn : cell->cost();
  }

  [[nodiscard]] bool has_intervals() const {
    return !used_.empty() && std::all_of(used_.begin(), used_.end(), [](const auto& one) {
      return one.second.by_cost.size() >= kLeastForInterval;
    });
  }

  // Each cell's repetitions anew, with replacement, and of them the median run.
  void draw(std::minstd_rand& random) {
    for (auto& [cell, repeated] : used_) {
      std::vector<std::size_t> places(repeated.by_cost.size());
      for (std::size_t& place : places) place = random() % places.size();
      const auto middle = places.begin() + static_cast<std::ptrdiff_t>((places.size() - 1) / 2);
      std::nth_element(places.begin(), middle, places.end());
      repeated.drawn = repeated.by_cost[*middle];
    }
  }

 private:
  struct Repeated {
    std::vector<const WindowCost*> by_cost;  // the repetitions, the cheapest first
    const WindowCost* drawn = nullptr;
  };

  void note(const Cell& cell) {
    auto [place, is_new] = used_.try_emplace(&cell);
    if (!is_new) return;
    for (const WindowCost& run : cell.runs) place->second.by_cost.push_back(&run);
    std::stable_sort(
        place->second.by_cost.begin(), place->second.by_cost.end(),
        [](const WindowCost* a, const WindowCost* b) { return cost_per_unit(*a) < cost_per_unit(*b); });
  }

  const RunCosts& costs_;
  std::map<Factors, Found<const Cell*>> cells_;
  std::map<const Cell*, Repeated> used_;
};

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

Found<double> cost_of(Asked& run, const ClaimTest& test, const Operand& operand) {
  const auto cost = run.cost(operand.factors);
  if (!cost) return tl::unexpected(cost.error());
  if (!operand.domain.empty() && !(*cost)->domains.contains(operand.domain)) {
    return obstacle(
        fmt::format("cell {} has no domain {}", cell_name(operand.factors), printable(operand.domain)));
  }
  const auto counted = count_of(**cost, operand);
  if (!counted) return tl::unexpected(counted.error());
  const auto value = per_unit(*counted, (*cost)->work, unit_named(test.per));
  if (!value) return obstacle(fmt::format("cell {} counted no {}", cell_name(operand.factors), test.per));
  return *value;
}

Found<std::vector<FitPoint>> points_of(Asked& run, const ClaimTest& test) {
  std::vector<FitPoint> points;
  for (const std::string& text : test.over_values) {
    Operand operand = test.of;
    operand.factors[test.over] = text;
    const auto y = cost_of(run, test, operand);
    if (!y) return tl::unexpected(y.error());
    std::uint64_t x = 0;
    std::from_chars(text.data(), text.data() + text.size(), x);  // canonical: digits
    points.push_back({static_cast<double>(x), *y});
  }
  return points;
}

Found<double> divided(double above, double below) {
  if (below == 0) return obstacle("what to divide by is 0 in this run");
  return above / below;
}

Found<double> rate_of(Asked& run, const Operand& operand, const std::optional<Found<MachineSpeed>>& speed) {
  const auto cost = run.cost(operand.factors);
  if (!cost) return tl::unexpected(cost.error());
  if (const std::string& guest = operand.domain; !guest.empty()) {
    for (const GuestWork& one : (*cost)->guests)
      if (one.guest == guest)
        if (const auto measured = rate_of(**cost, one)) return measured->value;
    return obstacle(
        fmt::format("cell {} has no rate of {} alone", cell_name(operand.factors), printable(guest)));
  }
  if (const auto measured = measured_rate(**cost)) return *measured;
  if (!speed) return obstacle("a rate needs the machine's speed: the study has no [speed]");
  if (!*speed) return tl::unexpected(speed->error());
  const auto allowed = capacity(**cost, **speed);
  if (!allowed) return obstacle(fmt::format("cell {} counted no work", cell_name(operand.factors)));
  return allowed->rate();
}

Found<double> ratio_of(Asked& run, const ClaimTest& test, const Operand& above, const Operand& below) {
  const auto of = cost_of(run, test, above);
  if (!of) return of;
  const auto to = cost_of(run, test, below);
  if (!to) return to;
  if (unit_named(test.per) == Unit::packet) {
    const auto a = run.cost(above.factors), b = run.cost(below.factors);
    if (a && b && !are_packets_alike((*a)->work, (*b)->work))
      return obstacle(fmt::format("packets are not alike: {} of {} carry what {} of {} do",
                                  with_thousands((*a)->work.packets.value), cell_name(above.factors),
                                  with_thousands((*b)->work.packets.value), cell_name(below.factors)));
  }
  return divided(*of, *to);
}

Found<double> points_between(Asked& run, const ClaimTest& test) {
  const auto of = ratio_of(run, test, test.of, test.of_base);
  if (!of) return of;
  const auto to = ratio_of(run, test, test.to, test.to_base);
  if (!to) return to;
  return 100 * (*of - *to);
}

// Of the guest that waited longest, us.
Found<double> latency_of(Asked& run, const Operand& operand, int percentile) {
  const auto cost = run.cost(operand.factors);
  if (!cost) return tl::unexpected(cost.error());
  std::optional<std::uint64_t> most;
  for (const Waiting& guest : (*cost)->waiting) {
    if (!operand.domain.empty() && guest.guest != operand.domain) continue;
    const std::uint64_t ns = percentile == 50 ? guest.p50_ns : percentile == 90 ? guest.p90_ns : guest.p99_ns;
    most = std::max(most.value_or(0), ns);
  }
  if (!most) return obstacle(fmt::format("cell {} measured no latency", cell_name(operand.factors)));
  constexpr double kNsOfUs = 1000;
  return static_cast<double>(*most) / kNsOfUs;
}

Found<double> fairness_between(Asked& run, const Operand& operand) {
  const auto cost = run.cost(operand.factors);
  if (!cost) return tl::unexpected(cost.error());
  if (const auto index = fairness_of((*cost)->guests)) return *index;
  return obstacle(fmt::format("cell {} has no two guests whose rates are known", cell_name(operand.factors)));
}

// Of `of`, or `of` relative to `to` where the claim has one.
template <class Figure>
Found<double> alone_or_relative(const ClaimTest& test, const Figure& figure) {
  const Found<double> of = figure(test.of);
  if (!of || test.to.factors.empty()) return of;
  const Found<double> to = figure(test.to);
  if (!to) return to;
  return divided(*of, *to);
}

Found<double> measure(Asked& run, const ClaimTest& test, const std::optional<Found<MachineSpeed>>& speed) {
  if (test.formula == Formula::rate)
    return alone_or_relative(test, [&](const Operand& one) { return rate_of(run, one, speed); });
  if (test.formula == Formula::latency)
    return alone_or_relative(test, [&](const Operand& one) { return latency_of(run, one, test.percentile); });
  if (test.formula == Formula::fairness) return fairness_between(run, test.of);
  if (test.formula == Formula::value) return cost_of(run, test, test.of);
  if (test.formula == Formula::ratio) return ratio_of(run, test, test.of, test.to);
  if (test.formula == Formula::points) return points_between(run, test);
  const auto points = points_of(run, test);
  if (!points) return tl::unexpected(points.error());
  if (test.formula == Formula::slope) {
    const auto fit = fit_line(*points);
    if (!fit) return obstacle("a slope needs two values of the factor");
    return fit->slope;
  }
  const auto less = [](const FitPoint& a, const FitPoint& b) { return a.y < b.y; };
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

bool holds(const ClaimTest& test, double value) {
  return (!test.at_least || value >= *test.at_least) && (!test.at_most || value <= *test.at_most);
}

// As short as it can be without contradicting the verdict: 941.49 is not 941 beside a limit of 941.
std::string figure_beside_limits(double value, const ClaimTest& test) {
  const auto says_the_same = [&](std::string text) {
    std::erase(text, ',');
    return holds(test, std::strtod(text.c_str(), nullptr)) == holds(test, value);
  };
  if (std::string text = readable(value); says_the_same(text)) return text;
  constexpr int kMostDigits = 9;
  for (int digits = 1; digits <= kMostDigits; ++digits) {
    if (std::string text = fmt::format("{:.{}f}", value, digits); says_the_same(text)) return text;
  }
  return exact(value);
}

// Of the measured figure, over the repetitions: the 2.5th to the 97.5th percentile of what draws of them
// give.
std::optional<Interval> interval_of(Asked& run, const ClaimTest& test,
                                    const std::optional<Found<MachineSpeed>>& speed, double measured) {
  if (!run.has_intervals()) return std::nullopt;
  constexpr std::size_t kDraws = 1000, kTail = 25;
  std::minstd_rand random(1);
  std::vector<double> values;
  for (std::size_t i = 0; i < kDraws; ++i) {
    run.draw(random);
    const auto value = measure(run, test, speed);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  std::sort(values.begin(), values.end());
  return Interval{std::min(measured, values[kTail - 1]), std::max(measured, values[kDraws - kTail])};
}

Verdict verdict_of(const ClaimTest& test, double measured, const std::optional<Interval>& interval) {
  const auto decided = [&](double value) {
    return holds(test, value) ? Verdict::reproduced : Verdict::not_reproduced;
  };
  if (!interval) return decided(measured);
  // Beside two limits both ends may be outside, and the middle inside.
  const bool is_one = holds(test, interval->low) == holds(test, interval->high) &&
                      holds(test, interval->low) == holds(test, measured);
  const bool is_across =
      test.at_least && test.at_most && interval->low < *test.at_least && interval->high > *test.at_most;
  return is_one && !is_across ? decided(measured) : Verdict::undecided;
}

// Papers speak of CPU that is used; a report's tax has idle in it. Where that makes a difference both are
// named.
std::string beside_the_tax(Asked& run, const ClaimTest& test, double measured) {
  const auto is_without_idle = [](const Operand& operand) {
    return operand.event.empty() && operand.domain.empty() && !operand.layers.empty() &&
           std::find(operand.layers.begin(), operand.layers.end(), Layer::idle) == operand.layers.end();
  };
  if (test.formula != Formula::ratio || !is_without_idle(test.of) || test.of.layers != test.to.layers)
    return "";
  if (test.of.layers.size() + 1 < kLayers.size()) return "";  // it asks for some layers alone
  ClaimTest whole = test;
  whole.of.layers.clear();
  whole.to.layers.clear();
  const auto with_idle = ratio_of(run, whole, whole.of, whole.to);
  if (!with_idle || readable(*with_idle) == readable(measured)) return "";
  return fmt::format("; without idle, with which it is {}", readable(*with_idle));
}

// Which of the claim's cells --quick left out; "" for none.
std::string left_out_by_quick(const ClaimTest& test, const nlohmann::json& left_out) {
  const auto names = [&](const std::string& factor, const std::string& value) {
    const auto found = left_out.find(factor);
    return found != left_out.end() && found->is_array() &&
           std::find(found->begin(), found->end(), nlohmann::json(value)) != found->end();
  };
  for (const Operand* operand : {&test.of, &test.to, &test.of_base, &test.to_base}) {
    for (const auto& [factor, value] : operand->factors)
      if (names(factor, value)) return fmt::format("{} {}", factor, value);
  }
  for (const std::string& value : test.over_values)
    if (names(test.over, value)) return fmt::format("{} {}", test.over, value);
  return "";
}

JudgedClaim judge(const Claim& claim, const RunCosts& costs, const std::optional<Found<MachineSpeed>>& speed,
                  const nlohmann::json& left_out) {
  JudgedClaim judged;
  judged.claim = &claim;
  judged.reason = claim.not_testable;
  if (!claim.test) return judged;
  const ClaimTest& test = *claim.test;
  Asked run(costs);
  judged.measured = std::nullopt;
  const auto measured = measure(run, test, speed);
  if (!measured) {
    judged.reason = measured.error().why;
    const std::string quick =
        measured.error().is_not_in_run && left_out.is_object() ? left_out_by_quick(test, left_out) : "";
    if (quick.empty()) return judged;
    judged.verdict = Verdict::left_out;
    judged.reason = fmt::format("left out by --quick: {}", printable(quick));
    return judged;
  }
  judged.measured = *measured;
  const std::string tax = beside_the_tax(run, test, *measured);
  judged.interval = interval_of(run, test, speed, *measured);
  judged.verdict = verdict_of(test, *measured, judged.interval);
  judged.reason = figure_beside_limits(*measured, test);
  if (judged.interval)
    judged.reason += fmt::format(" ({} to {})", figure_beside_limits(judged.interval->low, test),
                                 figure_beside_limits(judged.interval->high, test));
  judged.reason +=
      judged.verdict == Verdict::undecided
          ? fmt::format(" may be, or not, {}", range_text(test))
          : fmt::format(" is {}{}", judged.verdict == Verdict::reproduced ? "" : "not ", range_text(test));
  judged.reason += tax;
  if (!claim.note.empty()) judged.reason += fmt::format("; {}", claim.note);
  return judged;
}

}  // namespace

std::string_view name(Verdict verdict) {
  switch (verdict) {
    case Verdict::reproduced:
      return "reproduced";
    case Verdict::not_reproduced:
      return "not reproduced";
    case Verdict::undecided:
      return "undecided";
    case Verdict::left_out:
      return "left out";
    case Verdict::not_testable:
      return "not testable";
  }
  return "?";
}

std::vector<JudgedClaim> judge(const Published& published, const Run& header, const RunCosts& costs) {
  const auto speed = machine_speed(header, costs);
  const auto settings = nlohmann::json::parse(header.settings, nullptr, false);
  const auto left_out =
      settings.is_object() ? settings.value("left_out", nlohmann::json()) : nlohmann::json();
  std::vector<JudgedClaim> judged;
  for (const Claim& claim : published.claims) judged.push_back(judge(claim, costs, speed, left_out));
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
  std::string text = fmt::format("{} of {} claims reproduced, {} not reproduced", count(Verdict::reproduced),
                                 judged.size(), count(Verdict::not_reproduced));
  for (const Verdict verdict : {Verdict::undecided, Verdict::left_out})
    if (count(verdict) > 0) text += fmt::format(", {} {}", count(verdict), name(verdict));
  return text + fmt::format(", {} not testable here.", count(Verdict::not_testable));
}

}  // namespace vtax
