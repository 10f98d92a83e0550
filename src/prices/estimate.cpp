#include "prices/estimate.h"

#include <algorithm>

#include "query/simulated.h"

namespace vtax::prices {
namespace {

constexpr std::string_view kInstructions = "instructions", kExits = "vm_exits", kExitsFor = "vm_exits_";

void add(double count, const Price& price, EstimatedTime& time) {
  time.ns += count * price.ns;
  time.error_ns += count * price.ns * price.error;
}

// Where an exit's reason has a price of its own, it is not paid for twice.
std::map<const LedgerEntry*, std::uint64_t> paid_by_reason(const Trial& trial, const PriceList& prices) {
  std::map<const LedgerEntry*, std::uint64_t> paid;
  for (const LedgerEntry& exits : trial.ledger) {
    if (exits.kind != kExits) continue;
    for (const LedgerEntry& entry : trial.ledger)
      if (entry.kind.starts_with(kExitsFor) && prices.events.contains(entry.kind) && entry.cpu == exits.cpu &&
          entry.domain == exits.domain && entry.layer == exits.layer && entry.part == exits.part)
        paid[&exits] += entry.value;
  }
  return paid;
}

}  // namespace

EstimatedWindow estimate(const Trial& trial, const PriceList& prices) {
  EstimatedWindow window;
  const auto paid = paid_by_reason(trial, prices);
  for (const LedgerEntry& entry : trial.ledger) {
    if (entry.layer == Layer::idle) continue;
    const Price* price = nullptr;
    if (entry.kind == kInstructions) {
      const auto found = prices.instructions.find(entry.layer);
      if (found == prices.instructions.end()) {
        window.unpriced_instructions += entry.value;
        continue;
      }
      window.instructions += entry.value;
      price = &found->second;
    } else {
      const auto found = prices.events.find(entry.kind);
      if (found == prices.events.end()) {
        const bool is_reason =
            entry.kind.starts_with(kExitsFor) && prices.events.contains(std::string(kExits));
        if (entry.value > 0 && !is_reason) window.unpriced_events.insert(entry.kind);
        continue;
      }
      price = &found->second;
    }
    std::uint64_t count = entry.value;
    if (const auto already = paid.find(&entry); already != paid.end())
      count -= std::min(count, already->second);
    for (EstimatedTime* time : {&window.layers[entry.layer], &window.parts[entry.kind], &window.total})
      add(static_cast<double>(count), *price, *time);
  }
  return window;
}

Result<std::vector<EstimatedCell>> estimate_cells(RunReader& reader, const PriceList& prices) {
  if (is_simulated(reader.header()))
    return fail({"cannot price the run of " + reader.header().study,
                 "`vtax simulate` made it, and its counts are those of another run",
                 "take the run of the lab whose costs it has"});
  std::vector<std::vector<EstimatedCell>> cells;
  bool is_time = false;
  auto read = reader.for_each(RunReader::Detail::costs, [&](const Trial& trial) -> Result<> {
    if (!trial.error.empty() || is_perturbed(trial)) return {};
    if (machine_cpu_ns(trial)) is_time = true;
    const auto units = units_of(trial.work);
    if (units.empty()) return {};
    const auto one = per_unit(1, trial.work, units.front());
    if (!one) return {};
    EstimatedCell cell{cell_factors(trial), units.front(), 1 / *one, estimate(trial, prices)};
    const auto place = std::find_if(cells.begin(), cells.end(), [&](const auto& repetitions) {
      return repetitions.front().factors == cell.factors;
    });
    if (place == cells.end())
      cells.push_back({std::move(cell)});
    else
      place->push_back(std::move(cell));
    return {};
  });
  if (!read) return fail(read.error());
  if (is_time)
    return fail({"cannot price the run of " + reader.header().study,
                 "it was measured in nanoseconds of CPU time, which have no price", "take a run of the lab"});
  std::vector<EstimatedCell> middle;
  for (auto& repetitions : cells) {
    std::stable_sort(repetitions.begin(), repetitions.end(),
                     [](const EstimatedCell& a, const EstimatedCell& b) {
                       return a.window.total.ns / a.units < b.window.total.ns / b.units;
                     });
    middle.push_back(std::move(repetitions[(repetitions.size() - 1) / 2]));
  }
  return middle;
}

}  // namespace vtax::prices
