#include "report/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "core/readable.h"
#include "query/cost_text.h"
#include "query/phrase.h"
#include "query/repetitions.h"
#include "report/verdict.h"

namespace vtax {
namespace {

// In a sentence nobody reads nine figures; the tables have them.
std::string figure(double value, bool is_in_time) {
  if (is_in_time) return cost_text(value, true);
  if (value >= 1e9) return readable(value * 1e-9) + " billion";
  return value >= 1e6 ? readable(value * 1e-6) + " million" : readable(value);
}

// Who pays by executing; empty for the time and the instructions that nobody does.
std::string_view payer(Layer layer, bool is_guest) {
  switch (layer) {
    case Layer::hypervisor:
      return "the hypervisor";
    case Layer::driver:
      return "the driver domain";
    case Layer::kernel:
      return is_guest ? "the guest's kernel" : "the kernel";
    case Layer::program:
      return is_guest ? "the guest's program" : "the program";
    case Layer::idle:
    case Layer::uncharged:
    case Layer::elsewhere:
      break;
  }
  return "";
}

// "the driver domain pays 41 %, the hypervisor 30 %, the guest's kernel 25 %; 4 % could not be charged"
std::string payers(const WindowCost& cost) {
  constexpr double kWorthAWord = 5;
  const bool is_guest = cost.of(Layer::driver) + cost.of(Layer::hypervisor) > 0;
  std::array<Layer, kLayers.size()> layers = kLayers;
  std::stable_sort(layers.begin(), layers.end(), [&](Layer a, Layer b) { return cost.of(a) > cost.of(b); });
  std::string out, rest;
  for (const Layer layer : layers) {
    const double share = 100 * static_cast<double>(cost.of(layer)) /
                         static_cast<double>(std::max<std::uint64_t>(cost.total, 1));
    if (share < kWorthAWord) continue;
    const std::string_view who = payer(layer, is_guest);
    if (who.empty())
      rest += fmt::format("; {:.0f} % {}", share,
                          layer == Layer::idle ? "is idling" : "could not be charged to anyone");
    else
      out += fmt::format("{}{}{} {:.0f} %", out.empty() ? "" : ", ", who, out.empty() ? " pays" : "", share);
  }
  return out.empty() && !rest.empty() ? rest.substr(2) : out + rest;
}

// The tax, or without native the cost itself.
std::optional<double> value_of(const Comparison& comparison, const Cell& cell, Unit unit, bool is_tax) {
  if (!cell.cost()) return std::nullopt;
  const auto units = units_of(cell.cost()->work);
  if (units.empty() || units.front() != unit) return std::nullopt;
  return is_tax ? tax(comparison, cell, unit) : per_unit(cell.cost()->total, cell.cost()->work, unit);
}

struct Valued {
  const Comparison* comparison;
  const Cell* cell;
  double value;
};

using ByPlatform = std::map<std::string, std::vector<Valued>>;

std::optional<Unit> unit_of(const std::vector<const Comparison*>& comparisons) {
  for (const Comparison* comparison : comparisons)
    for (const Cell* cell : comparison->cells)
      if (cell->cost() && !units_of(cell->cost()->work).empty()) return units_of(cell->cost()->work).front();
  return std::nullopt;
}

ByPlatform values_of(const std::vector<const Comparison*>& comparisons, Unit unit, bool is_tax) {
  ByPlatform out;
  for (const Comparison* comparison : comparisons)
    for (const Cell* cell : comparison->cells) {
      if (is_tax && cell->platform() == "native") continue;
      if (const auto value = value_of(*comparison, *cell, unit, is_tax); value && *value > 0)
        out[cell->platform()].push_back({comparison, cell, *value});
    }
  return out;
}

const Comparison* typical_of(const std::vector<const Comparison*>& comparisons, const ByPlatform& values) {
  std::map<const Comparison*, std::pair<std::size_t, double>>
      scores;  // platforms, and how far from the medians
  for (const auto& [platform, all] : values) {
    std::vector<double> samples;
    for (const Valued& one : all) samples.push_back(one.value);
    const double middle = *lower_median(samples);
    for (const Valued& one : all) {
      auto& [platforms, distance] = scores[one.comparison];
      ++platforms;
      distance += std::abs(std::log(one.value / middle));
    }
  }
  const Comparison* best = nullptr;
  std::pair<std::size_t, double> best_score{0, 0};
  for (const Comparison* comparison : comparisons) {
    const auto found = scores.find(comparison);
    if (found == scores.end()) continue;
    const auto& [platforms, distance] = found->second;
    if (platforms > best_score.first || (platforms == best_score.first && distance < best_score.second)) {
      best = comparison;
      best_score = found->second;
    }
  }
  return best;
}

std::optional<WorkloadAnswer> answer_of(const std::vector<const Comparison*>& comparisons) {
  const auto unit = unit_of(comparisons);
  if (!unit) return std::nullopt;
  WorkloadAnswer out;
  out.unit = *unit;
  ByPlatform values = values_of(comparisons, *unit, true);
  out.is_tax = !values.empty();
  if (values.empty()) values = values_of(comparisons, *unit, false);
  out.typical = typical_of(comparisons, values);
  if (out.typical == nullptr) return std::nullopt;
  for (const Comparison* comparison : comparisons)
    out.combinations +=
        std::size_t{std::any_of(comparison->cells.begin(), comparison->cells.end(), [&](const Cell* cell) {
          return value_of(*comparison, *cell, *unit, out.is_tax).has_value();
        })};
  for (const Cell* cell : out.typical->cells) {
    const auto value = value_of(*out.typical, *cell, *unit, out.is_tax);
    const auto all = values.find(cell->platform());
    if (!value || all == values.end()) continue;
    PlatformAnswer one{cell, *value};
    if (out.is_tax) one.interval = tax_interval(*out.typical, *cell, *unit);
    const auto by_value = [](const Valued& a, const Valued& b) { return a.value < b.value; };
    const auto [least, most] = std::minmax_element(all->second.begin(), all->second.end(), by_value);
    one.least = least->value;
    one.least_of = least->comparison;
    one.most = most->value;
    one.most_of = most->comparison;
    out.platforms.push_back(one);
  }
  return out.platforms.empty() ? std::nullopt : std::optional(out);
}

// "A KB of tcp-stream"; a compile is not one of anything.
std::string unit_of_work(const WorkloadAnswer& found) {
  const std::string& workload = found.typical->factors.at("workload");
  const std::string its_noun(noun(found.unit, workload));
  std::string one = with_article(its_noun);
  one.front() = 'A';
  return one + (workload == its_noun ? "" : " of " + printable(workload));
}

std::string lead_of(const RunCosts& costs, const WorkloadAnswer& found) {
  const auto& factors = found.typical->factors;
  const std::string work = phrase(factors, costs.varying.of(factors.at("workload")));
  std::string where;
  if (!work.empty() && found.combinations > 1)
    where = fmt::format(" (typical of {} combinations: {})", with_thousands(found.combinations), work);
  else if (!work.empty())
    where = fmt::format(" ({})", work);
  if (!found.is_tax) return fmt::format("{} costs{}:", unit_of_work(found), where);
  const WindowCost& native = *found.typical->native()->cost();
  return fmt::format("{} costs, relative to native's {} {}{}:", unit_of_work(found),
                     figure(per_unit(native.total, native.work, found.unit).value_or(0), in_time(costs)),
                     in_time(costs) ? "of CPU time" : "instructions", where);
}

// What the line would claim is that it costs so much more, or less, than native: its interval must be
// narrower than that.
bool is_too_wide(const PlatformAnswer& one) {
  return one.interval && one.interval->high - one.interval->low >= std::abs(one.value - 1);
}

std::string range_text(double least, double most, bool is_tax, bool is_in_time) {
  const auto text = [&](double value) {
    return is_tax ? fmt::format("{:.2f}", value) : figure(value, is_in_time);
  };
  if (text(least) == text(most)) return "the same in all";
  return fmt::format("{} to {} over all", text(least), text(most));
}

std::string line_of(const RunCosts& costs, const WorkloadAnswer& found, const PlatformAnswer& one) {
  std::string text = found.is_tax ? fmt::format("{} times", marked_tax(*found.typical, *one.cell, found.unit))
                                  : fmt::format("{} {}", figure(one.value, in_time(costs)),
                                                in_time(costs) ? "of CPU time" : "instructions");
  if (one.interval)
    text += fmt::format(" ({:.2f} to {:.2f}{})", one.interval->low, one.interval->high,
                        is_too_wide(one) ? ": undecided, more repetitions may tell" : "");
  if (found.combinations > 1) text += "; " + range_text(one.least, one.most, found.is_tax, in_time(costs));
  if (const std::string who = payers(*one.cell->cost()); !who.empty()) text += "; " + who;
  return text;
}

// Errors that differ, each with how many trials have it.
AnswerText failures_text(const RunCosts& costs) {
  constexpr std::size_t kMostKinds = 3, kLongestError = 300;
  AnswerText text;
  text.is_failure = true;
  text.lead = fmt::format("{} of {} trials failed:", with_thousands(costs.failed.size()),
                          with_thousands(costs.finished + costs.failed.size()));
  std::vector<std::pair<const FailedTrial*, std::size_t>> kinds;
  for (const FailedTrial& trial : costs.failed) {
    const auto same = std::find_if(kinds.begin(), kinds.end(), [&](const auto& kind) {
      return kind.first->error == trial.error &&
             kind.first->factors.at("platform") == trial.factors.at("platform");
    });
    if (same == kinds.end())
      kinds.emplace_back(&trial, 1);
    else
      ++same->second;
  }
  bool is_cut = false;
  for (std::size_t i = 0; i < std::min(kMostKinds, kinds.size()); ++i) {
    const auto& [trial, times] = kinds[i];
    is_cut = is_cut || trial->error.size() > kLongestError;
    text.lines.emplace_back(printable(trial->factors.at("platform")),
                            printable(trial->error, kLongestError) +
                                (times > 1 ? fmt::format(" ({} trials)", with_thousands(times)) : ""));
  }
  if (kinds.size() > kMostKinds)
    text.lines.emplace_back("",
                            fmt::format("and {} other errors", with_thousands(kinds.size() - kMostKinds)));
  if (is_cut) text.lines.emplace_back("", "`vtax report RUN --all` shows these errors in full");
  return text;
}

// The figure and its limit; what is noted about the test stands with the claim itself.
std::string first_clause(const std::string& reason) {
  return reason.substr(0, reason.find("; ")) + ".";
}

std::optional<AnswerText> verdicts_text(const Run& header, const RunCosts& costs) {
  const auto published = published_of(header);
  if (!published || !*published) return std::nullopt;
  const auto judged = judge(**published, header, costs);
  AnswerText text;
  text.lead = count_verdicts(judged);
  for (const JudgedClaim& one : judged)
    if (one.verdict == Verdict::not_reproduced)
      text.lines.emplace_back(one.claim->id, fmt::format("{} {}", one.claim->says, first_clause(one.reason)));
  return text;
}

// What the marks mean, and why there is no tax where there is none.
std::string notes_text(const RunCosts& costs, const std::vector<WorkloadAnswer>& found) {
  std::vector<Comparison> shown;
  for (const WorkloadAnswer& one : found) shown.push_back(*one.typical);
  const bool has_tax =
      std::any_of(found.begin(), found.end(), [](const WorkloadAnswer& one) { return one.is_tax; });
  if (has_tax) return meaning_of_marks(shown);
  const bool is_native_alone = std::all_of(costs.cells.begin(), costs.cells.end(),
                                           [](const Cell& cell) { return cell.platform() == "native"; });
  return is_native_alone ? "Only native was measured, so there is no tax to give."
                         : "Without native's cost of the same there is no tax to give.";
}

}  // namespace

const PlatformAnswer& WorkloadAnswer::dearest() const {
  return *std::max_element(
      platforms.begin(), platforms.end(),
      [](const PlatformAnswer& a, const PlatformAnswer& b) { return a.value < b.value; });
}

std::vector<WorkloadAnswer> answers_of(const RunCosts& costs, const std::vector<Comparison>& comparisons) {
  std::vector<std::string> workloads;
  for (const Cell& cell : costs.cells)
    if (std::find(workloads.begin(), workloads.end(), cell.workload()) == workloads.end())
      workloads.push_back(cell.workload());
  std::map<std::string, std::vector<const Comparison*>> by_workload;
  for (const Comparison& comparison : comparisons)
    by_workload[comparison.factors.at("workload")].push_back(&comparison);
  std::vector<WorkloadAnswer> out;
  for (const std::string& workload : workloads)
    if (auto one = answer_of(by_workload[workload])) out.push_back(std::move(*one));
  return out;
}

std::vector<AnswerText> answer(const Run& header, const RunCosts& costs,
                               const std::vector<Comparison>& comparisons) {
  std::vector<AnswerText> out;
  if (!costs.failed.empty()) out.push_back(failures_text(costs));
  if (auto verdicts = verdicts_text(header, costs)) out.push_back(std::move(*verdicts));
  const auto found = answers_of(costs, comparisons);
  for (const WorkloadAnswer& one : found) {
    AnswerText text{lead_of(costs, one)};
    for (const PlatformAnswer& platform : one.platforms)
      text.lines.emplace_back(printable(platform.cell->platform()), line_of(costs, one, platform));
    out.push_back(std::move(text));
  }
  if (found.empty()) {
    out.push_back({"No trial ended: nothing was measured."});
  } else if (std::string notes = notes_text(costs, found); !notes.empty()) {
    out.push_back({std::move(notes)});
  }
  return out;
}

}  // namespace vtax
