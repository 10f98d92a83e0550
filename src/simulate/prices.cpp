#include "simulate/prices.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>

#include "core/readable.h"
#include "core/sha256.h"
#include "record/run_reader.h"
#include "study/catalogue.h"

namespace vtax::simulate {
namespace {

// What the simulator works out by itself, so that a price need not have been measured with it.
const std::set<std::string_view> kWorkedOut{"guests",
                                            "loads",
                                            "guest_cpu",
                                            "scheduler",
                                            "guest_weights",
                                            "guest_cap_percent",
                                            "softload_percent",
                                            "cpu_mips",
                                            "schedule",
                                            "round_instructions",
                                            "system_window",
                                            "peer_window",
                                            "link_mbps",
                                            "bytes",
                                            "warmup_bytes",
                                            "transactions",
                                            "warmup_transactions",
                                            "iterations",
                                            "rounds",
                                            "systems",
                                            "requests",
                                            "warmup_requests",
                                            "connections",
                                            "connections_per_second",
                                            "rate_mbps",
                                            "variation"};

bool is_price(const TrialSpec& spec) {
  return spec.guests == 1 && spec.machines == 1 && spec.guest_cpu == GuestCpu::own && spec.guest_cpus == 1 &&
         spec.driver_cpus == 1 && spec.softload_percent == 0 && spec.guest_cap_percent == 0 &&
         spec.variation == "none" && has_xen(spec.platform) && amount_of(spec) > 0;
}

// What an older vtax did not know was as usual.
std::string value_in(const PricedCell& cell, const std::string& factor) {
  if (const auto its = cell.factors.find(factor); its != cell.factors.end()) return its->second;
  const Factor* known = find_factor_of_any(factor, cell.factors.at("workload"));
  return known == nullptr ? std::string() : known->fallback;
}

PricedCell priced(const Trial& trial, const TrialSpec& spec) {
  PricedCell cell;
  cell.factors = trial.factors;
  cell.spec = spec;
  cell.index = trial.index;
  cell.peer = trial.peer_total.value;
  cell.work = trial.work;
  cell.window_ns = trial.window_virtual_ns;
  for (const LedgerEntry& entry : trial.ledger) {
    if (entry.kind != "instructions" || entry.layer == Layer::idle) continue;
    (entry.domain == "guest1" ? cell.guest : cell.driver)[{entry.layer, entry.part}] += entry.value;
  }
  return cell;
}

}  // namespace

std::uint64_t amount_of(const TrialSpec& spec) {
  switch (spec.workload) {
    case WorkloadId::tcp_stream:
    case WorkloadId::udp_stream:
      return spec.bytes;
    case WorkloadId::tcp_rr:
    case WorkloadId::udp_rr:
    case WorkloadId::tcp_crr:
      return spec.transactions;
    case WorkloadId::http:
      return spec.requests;
    case WorkloadId::memory:
      return spec.rounds;
    case WorkloadId::linpack:
      return spec.systems;
    case WorkloadId::cpu_loop:
      return spec.iterations;
    case WorkloadId::compile:
    case WorkloadId::disk:
    case WorkloadId::program:
      break;
  }
  return 0;
}

Result<PriceList> PriceList::read(const std::filesystem::path& run_file) {
  const std::string what = fmt::format("cannot take costs from {}", printable(run_file.string(), 200));
  auto reader = RunReader::open(run_file);
  if (!reader) return fail(reader.error());
  const auto settings = nlohmann::json::parse(reader->header().settings, nullptr, false);
  const auto machine = settings.is_object() ? settings.value("machine", nlohmann::json()) : nlohmann::json();
  if (machine != "lab")
    return fail({what, "it is no run of the lab, whose costs are instructions",
                 "vtax run STUDY --machine lab --out costs.vtax makes one"});
  PriceList prices;
  prices.file_ = run_file.string();
  auto digest = sha256_of_file(run_file);
  if (!digest) return fail(digest.error());
  prices.digest_ = std::move(*digest);
  struct Measured {
    std::uint64_t total = 0;
    PricedCell cell;
  };
  std::map<std::map<std::string, std::string>, std::vector<Measured>> cells;
  auto done = reader->for_each(RunReader::Detail::costs, [&](const Trial& trial) -> Result<> {
    const auto spec = trial_spec_of(trial.factors);
    if (trial.error.empty() && spec && is_price(*spec))
      cells[trial.factors].push_back({trial.machine_total.value, priced(trial, *spec)});
    return {};
  });
  if (!done) return fail(done.error());
  if (cells.empty())
    return fail({what, "it has no cell of one Xen guest on a CPU of its own, without softload or cap",
                 "costs are taken from such cells: run the study with --set guests=1 --set guest_cpu=own"});
  for (auto& [factors, repetitions] : cells) {
    std::sort(repetitions.begin(), repetitions.end(), [](const Measured& a, const Measured& b) {
      return std::pair(a.total, a.cell.index) < std::pair(b.total, b.cell.index);
    });
    prices.cells_.push_back(std::move(repetitions[(repetitions.size() - 1) / 2].cell));
  }
  return prices;
}

Result<const PricedCell*> PriceList::find(const std::map<std::string, std::string>& factors) const {
  const PricedCell* best = nullptr;
  std::pair<std::size_t, std::size_t> least{~std::size_t{0}, 0};  // what must not differ, and what may
  std::vector<std::string> obstacles;
  for (const PricedCell& cell : cells_) {
    std::vector<std::string> differences;
    std::size_t others = 0;
    for (const auto& [name, value] : factors) {
      if (value_in(cell, name) == value) continue;
      if (kWorkedOut.contains(name))
        ++others;
      else
        differences.push_back(fmt::format("{} = {}", name, printable(value)));
    }
    const std::pair distance(differences.size(), others);
    if (best != nullptr && distance >= least) continue;
    best = &cell;
    least = distance;
    obstacles = std::move(differences);
  }
  if (best != nullptr && obstacles.empty()) return best;
  return fail(
      {fmt::format("cannot simulate {} on {}", factors.at("workload"), factors.at("platform")),
       fmt::format("{} has no cell of one guest with {}", printable(file_, 200), fmt::join(obstacles, ", ")),
       "take costs from a run that has one"});
}

int PriceList::cpu_mips() const {
  const int first = cells_.front().spec.cpu_mips;
  const bool same = std::all_of(cells_.begin(), cells_.end(),
                                [&](const PricedCell& cell) { return cell.spec.cpu_mips == first; });
  return same ? first : 0;
}

}  // namespace vtax::simulate
