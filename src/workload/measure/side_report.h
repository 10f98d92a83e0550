#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/histogram.h"
#include "core/result.h"
#include "core/units.h"
#include "workload/measure/cpu_meter.h"

// What one side of a workload did in one measured span: the same shape for every generator and for client and
// server (docs/workload-schema.md).
namespace vtax {

// A figure of the generator's own, in base units: "rate" in "bit/s", "triad" in "B/s", "jitter" in "s".
struct Metric {
  std::string name;
  double value = 0;
  std::string unit;
  bool higher_is_better = true;
};

// What was done from `start` to `end`, both since the span's beginning.
struct IntervalReport {
  std::chrono::nanoseconds start{}, end{};
  Bytes bytes;
  Transactions transactions;
};

struct SideReport {
  std::string side;  // "client", "server"; "local" where there is only one
  std::chrono::nanoseconds duration{};
  // Only work that is known to be done: what this side received, or what the other confirmed.
  Bytes bytes;
  Packets messages;  // datagrams or requests, where the workload has them
  Transactions transactions;
  CpuUse cpu;
  std::map<std::string, std::uint64_t> failures;      // by kind: "timeout", "refused", "lost"
  std::vector<Metric> metrics;                        // the first one is what repeats are judged by
  std::optional<Histogram> latency;                   // of one transaction, ns
  std::vector<IntervalReport> intervals;              // empty when none were asked for
  nlohmann::json details = nlohmann::json::object();  // whatever else this generator alone knows

  [[nodiscard]] nlohmann::json to_json() const;
};

// CPU time of this side's process for each KB (1024 bytes) or transaction, in nanoseconds: netperf's service
// demand. Nothing where no such work was done.
[[nodiscard]] std::optional<double> cpu_per_kb(const SideReport& side);
[[nodiscard]] std::optional<double> cpu_per_transaction(const SideReport& side);

[[nodiscard]] nlohmann::json to_json(const Histogram& latency);

}  // namespace vtax
