#include "model/offered_load.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <set>

#include "core/readable.h"
#include "core/text_table.h"
#include "query/phrase.h"
#include "subject/trial_spec.h"

namespace vtax {
namespace {

// What says how much is offered.
constexpr const char* kOfferingFactors[] = {"connections_per_second", "rate_mbps"};

double number_in(const Factors& factors, const char* name, double otherwise) {
  const auto factor = factors.find(name);
  if (factor == factors.end()) return otherwise;
  std::uint64_t number = 0;
  const std::string& text = factor->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? static_cast<double>(number) : otherwise;
}

Factors without_offer(const Cell& cell) {
  Factors out = cell.factors;
  out.erase("platform");
  for (const char* name : kOfferingFactors) out.erase(name);
  return out;
}

}  // namespace

std::optional<double> offered_rate(const Cell& cell) {
  double one = 0;
  if (cell.workload() == "http")
    one = number_in(cell.factors, "connections_per_second", 0) *
          number_in(cell.factors, "requests_per_connection", 1);
  if (cell.workload() == "udp-stream") one = number_in(cell.factors, "rate_mbps", 0);
  if (one <= 0) return std::nullopt;
  TrialSpec trial;
  trial.guests = static_cast<int>(number_in(cell.factors, "guests", 1));
  trial.machines = static_cast<int>(number_in(cell.factors, "machines", 1));
  const auto own = cell.factors.find("own_guests");
  trial.own_guests_ask = own == cell.factors.end() || own->second == "ask";
  return one * systems_at_work(trial);
}

std::optional<OfferedLoad> offered_load(const Cell& cell, const MachineSpeed& speed) {
  const auto offered = offered_rate(cell);
  if (!offered || !cell.cost()) return std::nullopt;
  const auto allowed = capacity(*cell.cost(), speed);
  if (!allowed) return std::nullopt;
  OfferedLoad out;
  out.offered = *offered;
  out.most = allowed->rate();
  out.unit = allowed->unit;
  out.busiest = allowed->stations.front().name;
  const double part = out.possible() / out.most;
  out.busiest_part = part * allowed->stations.front().utilisation;
  for (const Station& station : allowed->stations)
    if (station.is_systems_cpu) out.cpus += part * station.utilisation;
  return out;
}

std::vector<OfferedSeries> offered_series(const RunCosts& costs) {
  std::vector<OfferedSeries> all;
  std::map<Factors, std::size_t> places;
  for (const Cell& cell : costs.cells) {
    if (!offered_rate(cell) || !cell.cost()) continue;
    const auto [place, is_new] = places.emplace(without_offer(cell), all.size());
    if (is_new) all.push_back({place->first, {}});
    all[place->second].cells.push_back(&cell);
  }
  std::erase_if(all, [](const OfferedSeries& series) {
    std::set<double> rates;
    for (const Cell* cell : series.cells) rates.insert(*offered_rate(*cell));
    return rates.size() < 2;
  });
  return all;
}

void print_offered(std::ostream& out, const RunCosts& costs, const MachineSpeed& speed) {
  const auto all = offered_series(costs);
  if (all.empty()) return;
  out << "\nOFFERED AND POSSIBLE\n";
  print_wrapped(out, "  ",
                "Up to the knee all that is offered can be done, beyond it the knee's rate at most: by the "
                "utilisation law, which knows nothing of work that is dropped after it has cost something "
                "(receive livelock).");
  for (const OfferedSeries& series : all) {
    out << '\n';
    print_wrapped(out, "", full_phrase(series.factors, costs.varying.of(series.factors.at("workload"))));
    TextTable table({"  platform", "offered", "possible", "knee", "busiest", "busy", "all CPUs"});
    for (const Cell* cell : series.cells) {
      const auto load = offered_load(*cell, speed);
      if (!load) continue;
      table.add({"  " + printable(cell->platform()),
                 fmt::format("{} {}", readable(load->offered), rate_noun(load->unit, cell->workload())),
                 readable(load->possible()), readable(load->most), load->busiest,
                 fmt::format("{:.0f} %", 100 * load->busiest_part),
                 fmt::format("{:.0f} %", 100 * load->cpus)});
    }
    table.print(out);
  }
}

}  // namespace vtax
