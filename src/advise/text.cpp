#include "advise/text.h"

#include <fmt/format.h>

#include <algorithm>

#include "advise/figure_text.h"
#include "advise/known_by_model.h"
#include "core/readable.h"
#include "core/text_table.h"
#include "query/phrase.h"

namespace vtax::advise {
namespace {

constexpr std::size_t kMostShown = 5, kMostReasons = 4, kMostCells = 3;
constexpr double kNear = 0.85;  // of what is allowed

std::string rate_text(const Application& application, Unit unit) {
  return fmt::format("{} {} {}", application.name, figure_text(application.rate),
                     unit == Unit::kilobyte ? "Mb/s" : "a second");
}

std::string asked_text(const Server& server, const Advice& advice) {
  const auto& options = advice.holds.empty() ? advice.fails : advice.holds;
  std::string text =
      fmt::format("{}: {} CPUs of {} MIPS", server.name, server.cpus, figure_text(server.cpu_mips));
  if (server.link_mbps > 0) text += fmt::format(", a wire of {} Mb/s", figure_text(server.link_mbps));
  for (std::size_t i = 0; i < server.applications.size() && !options.empty(); ++i)
    text += (i == 0 ? "; " : ", ") + rate_text(server.applications[i], options.front().told[i].unit);
  return text + ".";
}

std::string aim_text(Aim aim) {
  switch (aim) {
    case Aim::cost:
      return "CPUs of work";
    case Aim::busiest_cpu:
      return "how busy the busiest CPU is";
    case Aim::p99:
      return "what 99 % of exchanges stay below";
  }
  return "";
}

std::string layers_text(const Option& option) {
  std::vector<std::pair<double, std::string>> layers;
  constexpr double kWorthAWord = 0.01;
  for (const auto& [layer, cpus] : option.layers)
    if (cpus >= kWorthAWord * option.cpus.value) layers.emplace_back(cpus, layer);
  std::sort(layers.rbegin(), layers.rend());
  std::string text;
  for (const auto& [cpus, layer] : layers)
    text += fmt::format("{}{} {:.0f} %", text.empty() ? "" : ", ", printable(layer),
                        kPercent * cpus / option.cpus.value);
  return text;
}

std::string how_known(const Option& option) {
  const auto measured = static_cast<std::size_t>(std::count_if(
      option.told.begin(), option.told.end(), [](const ToldCell& one) { return one.is_measured; }));
  if (measured == option.told.size()) return "measured";
  return measured == 0 ? "predicted" : "partly predicted";
}

// A tenth of a CPU still has three figures.
std::string cpus_text(double cpus) {
  return cpus < 1 ? fmt::format("{:.3g}", cpus) : readable(cpus);
}

std::string room_text(double room) {
  constexpr double kLarge = 1000;
  return room < kLarge ? fmt::format("{:.1f}", room) : readable(room);
}

std::string figures_text(const Server& server, const Option& option) {
  const Station& busiest = option.stations.all.front();
  std::string text = fmt::format("{} CPUs ({} to {}, {}); {} {} busy; it carries {} times these rates",
                                 cpus_text(option.cpus.value), cpus_text(option.cpus.interval.low),
                                 cpus_text(option.cpus.interval.high), how_known(option), busiest.name,
                                 percent_text(busiest.utilisation), room_text(option.room));
  for (std::size_t i = 0; i < option.simulated.size(); ++i)
    if (const auto& p99 = option.simulated[i].p99_us)
      text += fmt::format("; simulated, 99 % of exchanges{} below {} us",
                          option.simulated.size() == 1 ? "" : " of " + server.applications[i].name,
                          readable(*p99));
  return text;
}

void write_best(const Server& server, const Advice& advice, const PlacementNames& names, std::ostream& out) {
  for (std::size_t i = 0; i < std::min(kMostShown, advice.holds.size()); ++i) {
    const Option& option = advice.holds[i];
    print_wrapped(out, fmt::format("{}. ", i + 1), names.of(option.placement));
    print_wrapped(out, "   ", figures_text(server, option));
    print_wrapped(out, "   ", layers_text(option));
    for (const std::string& note : option.notes) print_wrapped(out, "   ", note);
  }
  if (advice.holds.size() > kMostShown)
    out << fmt::format("   and {} more that hold: --json has all\n", advice.holds.size() - kMostShown);
}

void write_verdict(const Server& server, const Advice& advice, std::ostream& out) {
  const std::size_t contenders = advice.contenders();
  if (advice.holds.size() == 1) return;
  if (contenders > 1)
    print_wrapped(
        out, "",
        fmt::format("No clear winner: within the 90 % intervals {} of them may be the best. A study "
                    "would tell (--study FILE).",
                    contenders));
  else
    print_wrapped(out, "",
                  fmt::format("A clear winner, by {}: no other comes near it within the 90 % intervals.",
                              aim_text(server.minimise)));
}

void write_near(const Server& server, const Option& best, std::ostream& out) {
  const double most = server.most_busy_percent / kPercent;
  const double doubt = best.cpus.interval.high / best.cpus.value;
  std::string text;
  for (const Station& station : best.stations.all) {
    const bool is_near = station.utilisation > kNear * most;
    const bool may_be_full = station.cpu >= 0 && station.utilisation * doubt > most;
    if (!is_near && !may_be_full) continue;
    text += fmt::format(
        "{}{} {} of {:.0f}{}", text.empty() ? "" : "; ", station.name, percent_text(station.utilisation),
        server.most_busy_percent,
        may_be_full ? fmt::format(", {} at the interval's end", percent_text(station.utilisation * doubt))
                    : "");
  }
  print_wrapped(out, "Limits that are near, of the first: ", text.empty() ? "none" : text + ".");
}

void write_ground(const Option& best, const predict::Model& model, std::ostream& out) {
  std::vector<Factors> all;
  VaryingFactors varying;
  for (const predict::KnownCell& cell : model.parts().known.cells) varying.add(cell.factors);
  std::string text;
  for (const Factors& cell : best.placement.cells)
    for (const Factors& known : rests_on(model, cell, kMostCells)) {
      if (std::find(all.begin(), all.end(), known) != all.end()) continue;
      all.push_back(known);
      text += (text.empty() ? "" : "; ") + trial_name(known, varying.of(known.at("workload")));
    }
  print_wrapped(out, "",
                how_known(best) == "measured"
                    ? fmt::format("The first rests on cells that were measured: {}.", text)
                    : fmt::format("The first rests on a model of {} measured cells; the nearest: {}.",
                                  model.parts().known.cells.size(), text));
}

void write_left_out(const Advice& advice, const PlacementNames& names, std::ostream& out) {
  if (!advice.fails.empty()) {
    const Option& nearest = advice.fails.front();
    print_wrapped(out, "",
                  fmt::format("{} of {} placements do not hold. The nearest: {}: {} (x {}).",
                              advice.fails.size(), advice.placements, names.of(nearest.placement),
                              nearest.unmet.front().text, readable(nearest.unmet.front().over)));
  }
  std::map<std::string, std::size_t> reasons;
  for (const auto& [placement, why] : advice.no_promise) ++reasons[why];
  std::vector<std::pair<std::size_t, std::string>> often;
  for (const auto& [why, times] : reasons) often.emplace_back(times, why);
  std::stable_sort(often.begin(), often.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (std::size_t i = 0; i < std::min(kMostReasons, often.size()); ++i)
    print_wrapped(out, "", fmt::format("No promise of {}: {}.", often[i].first, often[i].second));
  if (often.size() > kMostReasons)
    out << fmt::format("No promise of others for {} more reasons: --json has them.\n",
                       often.size() - kMostReasons);
}

void write_caveat(const Server& server, const predict::Model& model, std::ostream& out) {
  const int mips = cpu_mips_of(model.parts().known);
  std::string text = "Costs are instructions";
  if (mips > 0 && mips != server.cpu_mips)
    text +=
        fmt::format(", measured at {} MIPS: at {} batching is another", mips, figure_text(server.cpu_mips));
  text += "; those of several applications are added up; an instruction takes as long everywhere.";
  print_wrapped(out, "", text);
}

std::vector<Placement> placements_in(const Advice& advice) {
  std::vector<Placement> all;
  for (const auto* list : {&advice.holds, &advice.fails})
    for (const Option& option : *list) all.push_back(option.placement);
  for (const auto& [placement, why] : advice.no_promise) all.push_back(placement);
  return all;
}

}  // namespace

void write_advice(const Server& server, const Advice& advice, const predict::Model& model,
                  std::ostream& out) {
  const PlacementNames names(server, placements_in(advice));
  print_wrapped(out, "", asked_text(server, advice));
  out << "\n";
  if (!advice.holds.empty()) {
    print_wrapped(out, "",
                  fmt::format("{} of {} placements hold what must; the best first, by {}:",
                              advice.holds.size(), advice.placements, aim_text(server.minimise)));
    write_best(server, advice, names, out);
    out << "\n";
    write_verdict(server, advice, out);
    write_near(server, advice.holds.front(), out);
    write_ground(advice.holds.front(), model, out);
  } else if (!advice.fails.empty()) {
    const Option& nearest = advice.fails.front();
    print_wrapped(
        out, "",
        fmt::format("No placement holds what must. The nearest is {}:", names.of(nearest.placement)));
    for (const Wish& wish : nearest.unmet)
      print_wrapped(out, "- ", fmt::format("{}: {} times too much", wish.text, readable(wish.over)));
    print_wrapped(out, "",
                  fmt::format("It would carry {} of the rates.", percent_text(std::min(1.0, nearest.room))));
  } else {
    print_wrapped(out, "", "Nothing is promised of any placement.");
  }
  write_left_out(advice, names, out);
  write_caveat(server, model, out);
}

void write_score(const Server& server, const RankingScore& score, std::ostream& out) {
  print_wrapped(
      out, "",
      fmt::format("{} placements of {} were measured. Kendall's tau of the order that was told to the "
                  "measured one: {}. The one that was told to be the best costs {:.1f} % more than the "
                  "best{}.",
                  score.placements, server.name,
                  score.tau ? fmt::format("{:.2f}", *score.tau) : "none, all are equal",
                  kPercent * score.regret,
                  score.best_in_top_3 ? ", which is among the first three told"
                                      : ", which is not among the first three told"));
  print_wrapped(out, "told best:     ", score.told_best);
  print_wrapped(out, "measured best: ", score.measured_best);
  if (score.told_wrongly > 0)
    print_wrapped(out, "",
                  fmt::format("Of {} it was told wrongly whether they hold what must.", score.told_wrongly));
  if (score.known_cells > 0)
    print_wrapped(out, "",
                  fmt::format("{} of their {} cells the model was made of: they prove nothing of it.",
                              score.known_cells, score.cells));
}

}  // namespace vtax::advise
