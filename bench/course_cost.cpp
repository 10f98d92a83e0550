// What readings within a window (machine/host/window_readings.h) cost it: trials on this computer with and
// without them, in turn.
//
//   course_cost [PLATFORM [ROUNDS [MEBIBYTES]]]      native, 8 rounds of 1024 MiB each way
//
// Of tcp-stream, sent in 64-KiB writes, offloads off. Of each kind: median (least to most) of the trial's CPU
// time and of the window, and what the readings themselves took.

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "agent/entry.h"
#include "machine/host/host_readiness.h"
#include "machine/host/host_trial.h"
#include "record/timeline_text.h"

namespace vtax {
namespace {

struct Costs {
  std::vector<double> per_kilobyte_ns, window_ms, reading_us;
  std::size_t slices = 0, text_bytes = 0;
};

std::string spread(std::vector<double> values) {
  if (values.empty()) return "none";
  std::sort(values.begin(), values.end());
  return fmt::format("{:.1f} ({:.1f} to {:.1f})", values[values.size() / 2], values.front(), values.back());
}

void add(const Trial& trial, Costs& costs) {
  double ns = 0;
  for (const LedgerEntry& row : trial.ledger)
    if (row.layer != Layer::idle && row.layer != Layer::elsewhere) ns += static_cast<double>(row.value);
  costs.per_kilobyte_ns.push_back(ns * 1024 / static_cast<double>(trial.work.bytes.value));
  costs.window_ms.push_back(static_cast<double>(trial.window_virtual_ns) * 1e-6);
  const auto meter = nlohmann::json::parse(trial.provenance)["meter"];
  if (const double taken = meter.value("readings_within", 0.0); taken > 0)
    costs.reading_us.push_back(meter.value("readings_within_ns", 0.0) / taken * 1e-3);
  costs.slices = trial.timeline.end_ns.size();
  if (!trial.timeline.empty()) costs.text_bytes = timeline_text(trial.timeline).size();
}

int measure(PlatformId platform, int rounds, const std::string& bytes) {
  std::map<PlatformId, host::GuestParts> guests;
  if (host::has_guest(platform)) {
    auto cache = lab::PackageCache::open();
    if (!cache) return fmt::print("{}\n", cache.error().text()), 1;
    auto made = host::prepare_guest(platform, *cache, [](std::string_view) {});
    if (!made) return fmt::print("{}\n", made.error().text()), 1;
    guests.emplace(platform, std::move(*made));
  }
  Costs costs[2];
  for (int round = 0; round < 2 * rounds; ++round) {
    const bool with_course = (round + round / 2) % 2 != 0;  // without, with, with, without
    Trial trial;
    trial.factors = {{"platform", std::string(name_of(platform))},
                     {"workload", "tcp-stream"},
                     {"direction", "send"},
                     {"bytes", bytes},
                     {"write_bytes", "65536"},
                     {"warmup_bytes", "1048576"},
                     {"topology", "inside"},
                     {"offloads", "off"}};
    const auto done = host::run_host_trial(
        trial, guests, [](const std::string&) {}, with_course);
    if (!done) return fmt::print("{}\n", done.error().text()), 1;
    add(trial, costs[with_course ? 1 : 0]);
  }
  for (const bool with_course : {false, true}) {
    const Costs& its = costs[with_course ? 1 : 0];
    fmt::print("{}, {} readings: ns per KB {}; window ms {}\n", name_of(platform),
               with_course ? "with" : "without", spread(its.per_kilobyte_ns), spread(its.window_ms));
  }
  fmt::print("a reading: CPU us {}; the last timeline: {} slices, {} bytes\n", spread(costs[1].reading_us),
             costs[1].slices, costs[1].text_bytes);
  return 0;
}

}  // namespace
}  // namespace vtax

int main(int argc, char** argv) {
  // This program is also the guests' PID 1.
  if (const auto code = vtax::agent::run_by_circumstance(argc, argv)) return *code;
  const auto number = [&](int place, int usual) {
    return argc > place ? std::max(1, std::atoi(argv[place])) : usual;
  };
  return vtax::measure(vtax::platform_named(argc > 1 ? argv[1] : "native").value_or(vtax::PlatformId::native),
                       number(2, 8), fmt::format("{}", std::int64_t{number(3, 1024)} << 20));
}
