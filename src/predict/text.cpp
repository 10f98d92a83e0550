#include "predict/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/readable.h"
#include "core/text_table.h"
#include "query/phrase.h"
#include "query/varying_factors.h"

namespace vtax::predict {
namespace {

using Json = nlohmann::json;
constexpr double kPercent = 100;

std::string percent(double part) {
  return fmt::format("{:.1f} %", kPercent * part);
}

std::string with_interval(const Estimate& estimate) {
  return fmt::format("{} ({} to {})", readable(estimate.value), readable(estimate.interval.low),
                     readable(estimate.interval.high));
}

VaryingFactors varying_of(const std::vector<Factors>& cells) {
  VaryingFactors varying;
  for (const Factors& cell : cells) varying.add(cell);
  return varying;
}

std::string name_of(const Factors& cell, const VaryingFactors& varying) {
  return trial_name(cell, varying.of(cell.at("workload")));
}

std::string layers_text(const Prediction& prediction) {
  std::string text;
  const double cost = prediction.figures.at("cost").value;
  constexpr double kWorthAWord = 0.005;
  for (const auto& [figure, estimate] : prediction.figures)
    if (figure.starts_with("layer ") && estimate.value / cost >= kWorthAWord)
      text += fmt::format("{}{} {:.0f} %", text.empty() ? "" : ", ", figure.substr(6),
                          kPercent * estimate.value / cost);
  return text;
}

std::string busy_text(const Prediction& prediction) {
  std::string text;
  constexpr double kWorthAWord = 0.01;
  for (const auto& [figure, estimate] : prediction.figures)
    if (figure.starts_with("busy ") && estimate.value >= kWorthAWord)
      text +=
          fmt::format("{}{} {:.2f}", text.empty() ? "" : ", ", printable(figure.substr(5)), estimate.value);
  return text;
}

std::string_view rate_unit(Unit unit) {
  return unit == Unit::transaction ? "a second" : "Mb/s";
}

Json json_of(const Estimate& estimate) {
  return {{"value", estimate.value}, {"low", estimate.interval.low}, {"high", estimate.interval.high}};
}

std::string_view name(Reach reach) {
  switch (reach) {
    case Reach::cell:
      return "unseen cell";
    case Reach::pair:
      return "unseen pair";
    case Reach::level:
      return "between levels";
  }
  return "";
}

}  // namespace

void write_scores(const Model& model, std::ostream& out) {
  const Model::Parts& parts = model.parts();
  std::size_t trials = 0;
  for (const Source& source : parts.known.sources) trials += source.trials;
  print_wrapped(
      out, "",
      fmt::format("A model of {} cells ({} trials), costs in {}. The same cell varies by {} from "
                  "repetition to repetition: no error can be much below.",
                  parts.known.cells.size(), trials, unit_of_cost(parts.known.in_time), percent(parts.floor)));
  std::string test;
  std::vector<std::string> beaten;
  double own = 0;
  TextTable table({"error of the cost", "cells", "median", "p90", "in 90 %", "width", "least in 90 %"});
  for (const Score& score : parts.scores) {
    const bool is_own = score.method == kOwnMethod;
    if (is_own) own = score.median;
    if (!is_own && score.test == test && score.median < own)
      beaten.push_back(score.test + ": " + score.method);
    table.add({is_own ? score.test : "  " + score.method, std::to_string(score.cells), percent(score.median),
               percent(score.p90), score.covered ? percent(*score.covered) : "",
               score.interval_width ? percent(*score.interval_width) : "",
               score.least_covered && score.least_covered->share < score.covered.value_or(0)
                   ? fmt::format("{:.0f} % of {}", kPercent * score.least_covered->share,
                                 printable(score.least_covered->name))
                   : ""});
    test = score.test;
  }
  if (!table.is_empty()) {
    out << "\n";
    table.print(out);
    out << "\n";
    print_wrapped(
        out, "",
        "Error: |predicted / measured - 1|. Held out: cells that nothing was learned from. Unseen cell, "
        "level, pair: known cells, left out one by one, with all of a number's level, with all of a pair of "
        "values. In 90 %: how many are inside their interval, made of what the others got wrong; width: its "
        "median, high over low; least: the value of a factor whose cells are inside the least often.");
  }
  for (const std::string& one : beaten)
    print_wrapped(out, "", fmt::format("Not beaten: {} has the smaller median error.", one));
}

void write_predictions(const Model& model, const std::vector<Factors>& cells, std::ostream& out) {
  const VaryingFactors varying = varying_of(cells);
  std::map<std::string, std::size_t> no_promise;
  TextTable table({"cell", "cost", "90 %", "rate"});
  std::vector<std::string> notes;
  Unit unit{};
  const auto flush = [&] {
    if (table.is_empty()) return;
    out << fmt::format("{} per {}; rate in {}\n", unit_of_cost(model.parts().known.in_time), vtax::name(unit),
                       unit == Unit::transaction ? "transactions a second" : "Mb/s");
    table.print(out);
    out << "\n";
    table = TextTable({"cell", "cost", "90 %", "rate"});
  };
  for (const Factors& cell : cells) {
    const auto prediction = model.predict(cell);
    if (!prediction) {
      ++no_promise[prediction.error().why];
      continue;
    }
    if (prediction->unit != unit) flush();
    unit = prediction->unit;
    const auto& figures = prediction->figures;
    const Estimate& cost = figures.at("cost");
    const KnownCell* known = model.measured(cell);
    const auto rate = figures.find("rate");
    table.add({name_of(cell, varying), readable(known != nullptr ? known->figures.at("cost") : cost.value),
               known != nullptr
                   ? "measured"
                   : fmt::format("{} to {}", readable(cost.interval.low), readable(cost.interval.high)),
               known != nullptr
                   ? (known->figures.contains("rate") ? readable(known->figures.at("rate")) : "-")
                   : (rate != figures.end() ? readable(rate->second.value) : "-")});
  }
  flush();
  constexpr std::size_t kFewCells = 4;
  if (cells.size() <= kFewCells)
    for (const Factors& cell : cells) {
      const auto prediction = model.predict(cell);
      if (!prediction || model.measured(cell) != nullptr) continue;
      print_wrapped(out, "", name_of(cell, varying));
      print_wrapped(out, "  layers: ", layers_text(*prediction));
      if (const auto rate = prediction->figures.find("rate"); rate != prediction->figures.end())
        print_wrapped(
            out, "  rate: ", with_interval(rate->second) + " " + std::string(rate_unit(prediction->unit)));
      if (const std::string busy = busy_text(*prediction); !busy.empty())
        print_wrapped(out, "  busy CPUs: ", busy);
      if (prediction->reach == Reach::level)
        print_wrapped(out, "  ",
                      "a number of it lies between those that were measured: its interval is wider");
      if (prediction->reach == Reach::pair)
        print_wrapped(out, "  ", "two of its values were never measured together: its interval is wider");
    }
  for (const auto& [why, times] : no_promise)
    print_wrapped(out, "",
                  fmt::format("No promise of {} {}: {}.", times, times == 1 ? "cell" : "cells", why));
}

void write_predictions_json(const Model& model, const std::vector<Factors>& cells, std::ostream& out) {
  Json json{{"schema", 1},
            {"cost_is", model.parts().known.in_time ? "cpu_ns" : "instructions"},
            {"confidence", 0.9},
            {"cells", Json::array()}};
  for (const Factors& cell : cells) {
    Json one{{"factors", cell}};
    if (const KnownCell* known = model.measured(cell)) {
      one["unit"] = vtax::name(known->unit);
      one["measured"] = known->figures;
    }
    if (const auto prediction = model.predict(cell)) {
      one["unit"] = vtax::name(prediction->unit);
      one["reach"] = name(prediction->reach);
      for (const auto& [figure, estimate] : prediction->figures) one["predicted"][figure] = json_of(estimate);
    } else {
      one["no_promise"] = prediction.error().why;
    }
    json["cells"].push_back(std::move(one));
  }
  out << json.dump(1, ' ', false, Json::error_handler_t::replace) << "\n";
}

void write_check(const Check& check, std::ostream& out) {
  std::vector<Factors> all;
  for (const Check::Cell& cell : check.cells) all.push_back(cell.factors);
  const VaryingFactors varying = varying_of(all);
  if (check.score)
    print_wrapped(
        out, "",
        fmt::format(
            "{} cells that the model did not know: error {} in the median, {} at most of nine in ten; "
            "{} inside their interval of 90 %, which is {} wide in the median.",
            check.score->cells, percent(check.score->median), percent(check.score->p90),
            percent(check.score->covered.value_or(0)), percent(check.score->interval_width.value_or(0))));
  else
    out << "No cell of the run is both unknown to the model and within what it promises.\n";
  if (!check.cells.empty()) {
    out << "\n";
    TextTable table({"cell, the worst first", "predicted", "90 %", "measured", "off"});
    constexpr std::size_t kMostLines = 20;
    for (std::size_t i = 0; i < std::min(kMostLines, check.cells.size()); ++i) {
      const Check::Cell& cell = check.cells[i];
      const bool is_inside = cell.measured >= cell.interval.low && cell.measured <= cell.interval.high;
      table.add({name_of(cell.factors, varying), readable(cell.predicted),
                 fmt::format("{} to {}", readable(cell.interval.low), readable(cell.interval.high)),
                 readable(cell.measured) + (is_inside ? "" : " !"),
                 fmt::format("{:+.1f} %", kPercent * (cell.predicted / cell.measured - 1))});
    }
    table.print(out);
    if (check.cells.size() > kMostLines) out << fmt::format("and {} more\n", check.cells.size() - kMostLines);
  }
  if (check.known > 0)
    out << fmt::format("\n{} of its cells the model was made of: they say nothing of its error.\n",
                       check.known);
  std::map<std::string, std::size_t> reasons;
  for (const auto& [cell, why] : check.no_promise) ++reasons[why];
  for (const auto& [why, times] : reasons)
    print_wrapped(out, "",
                  fmt::format("No promise of {} {}: {}.", times, times == 1 ? "cell" : "cells", why));
}

void write_check_json(const Check& check, std::ostream& out) {
  Json json{
      {"schema", 1}, {"known_cells", check.known}, {"cells", Json::array()}, {"no_promise", Json::array()}};
  if (check.score)
    json["score"] = {{"cells", check.score->cells},
                     {"median_error", check.score->median},
                     {"p90_error", check.score->p90},
                     {"covered", check.score->covered.value_or(0)},
                     {"interval_width", check.score->interval_width.value_or(0)}};
  for (const Check::Cell& cell : check.cells)
    json["cells"].push_back({{"factors", cell.factors},
                             {"predicted", cell.predicted},
                             {"low", cell.interval.low},
                             {"high", cell.interval.high},
                             {"measured", cell.measured},
                             {"reach", name(cell.reach)}});
  for (const auto& [cell, why] : check.no_promise)
    json["no_promise"].push_back({{"factors", cell}, {"why", why}});
  out << json.dump(1, ' ', false, Json::error_handler_t::replace) << "\n";
}

}  // namespace vtax::predict
