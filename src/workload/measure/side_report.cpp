#include "workload/measure/side_report.h"

namespace vtax {
namespace {

nlohmann::json json_of(const CpuUse& cpu) {
  nlohmann::json out{{"user_ns", cpu.user.count()}, {"system_ns", cpu.system.count()}};
  if (cpu.switches_known) {
    out["voluntary_switches"] = cpu.voluntary_switches;
    out["involuntary_switches"] = cpu.involuntary_switches;
  }
  if (cpu.machine_busy) out["machine_busy_ns"] = cpu.machine_busy->count();
  return out;
}

nlohmann::json json_of(const IntervalReport& interval) {
  return {{"start_ns", interval.start.count()},
          {"end_ns", interval.end.count()},
          {"bytes", interval.bytes.value},
          {"transactions", interval.transactions.value}};
}

std::optional<double> per(std::chrono::nanoseconds time, double amount) {
  if (amount <= 0) return std::nullopt;
  return static_cast<double>(time.count()) / amount;
}

}  // namespace

std::optional<double> cpu_per_kb(const SideReport& side) {
  return per(side.cpu.process(), static_cast<double>(side.bytes.value) / 1024);
}

std::optional<double> cpu_per_transaction(const SideReport& side) {
  return per(side.cpu.process(), static_cast<double>(side.transactions.value));
}

nlohmann::json to_json(const Histogram& latency) {
  nlohmann::json buckets = nlohmann::json::array();
  for (const Histogram::Bucket& bucket : latency.buckets())
    buckets.push_back({bucket.low, bucket.high, bucket.count});
  return {{"unit", "ns"},
          {"count", latency.count()},
          {"minimum", latency.minimum()},
          {"mean", latency.mean()},
          {"p50", latency.quantile(0.5)},
          {"p90", latency.quantile(0.9)},
          {"p99", latency.quantile(0.99)},
          {"p99_9", latency.quantile(0.999)},
          {"maximum", latency.maximum()},
          {"buckets", buckets}};
}

nlohmann::json SideReport::to_json() const {
  nlohmann::json out{
      {"side", side},
      {"duration_ns", duration.count()},
      {"work", {{"bytes", bytes.value}, {"messages", messages.value}, {"transactions", transactions.value}}},
      {"cpu", json_of(cpu)},
      {"failures", failures},
      {"metrics", nlohmann::json::array()},
      {"details", details}};
  for (const Metric& metric : metrics)
    out["metrics"].push_back({{"name", metric.name},
                              {"value", metric.value},
                              {"unit", metric.unit},
                              {"higher_is_better", metric.higher_is_better}});
  if (const auto demand = cpu_per_kb(*this)) out["cpu"]["ns_per_kb"] = *demand;
  if (const auto demand = cpu_per_transaction(*this)) out["cpu"]["ns_per_transaction"] = *demand;
  if (latency) out["latency"] = vtax::to_json(*latency);
  out["intervals"] = nlohmann::json::array();
  for (const IntervalReport& interval : intervals) out["intervals"].push_back(json_of(interval));
  return out;
}

}  // namespace vtax
