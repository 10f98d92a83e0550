#include "workload/measure/outcome.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/readable.h"

namespace vtax {
namespace {

nlohmann::json machine() {
  utsname names{};
  uname(&names);
  return {
      {"cpus", sysconf(_SC_NPROCESSORS_ONLN)}, {"kernel", names.release}, {"architecture", names.machine}};
}

nlohmann::json json_of(const Summary& summary) {
  nlohmann::json out{{"metric", summary.metric},
                     {"unit", summary.unit},
                     {"values", summary.values},
                     {"mean", summary.mean},
                     {"median", summary.median},
                     {"confidence", summary.confidence},
                     {"asked_half_width", summary.asked_half_width},
                     {"tight", summary.tight}};
  if (summary.interval) out["interval"] = {summary.interval->low, summary.interval->high};
  return out;
}

struct Prefix {
  double factor;
  const char* text;
};

std::string with_prefix(double value, std::string_view unit) {
  constexpr std::array<Prefix, 5> kPrefixes{{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}}};
  for (const Prefix& prefix : kPrefixes) {
    if (std::abs(value) >= prefix.factor)
      return fmt::format("{} {}{}", readable(value / prefix.factor), prefix.text, unit);
  }
  return fmt::format("{} {}", readable(value), unit);
}

std::string readable_time(double seconds) {
  if (std::abs(seconds) >= 1) return readable(seconds) + " s";
  if (std::abs(seconds) >= 1e-3) return readable(seconds * 1e3) + " ms";
  if (std::abs(seconds) >= 1e-6) return readable(seconds * 1e6) + " us";
  return readable(seconds * 1e9) + " ns";
}

const Metric* find(const SideReport& side, std::string_view name) {
  for (const Metric& metric : side.metrics)
    if (metric.name == name) return &metric;
  return nullptr;
}

// A metric's median over the repeats, with the range where there are several.
std::string over_repeats(const Outcome& outcome, std::size_t side, const Metric& metric) {
  std::vector<double> values;
  for (const Repeat& repeat : outcome.repeats) {
    if (side < repeat.size())
      if (const Metric* found = find(repeat[side], metric.name)) values.push_back(found->value);
  }
  const double middle = median(values).value_or(0);
  if (values.size() < 2) return readable_metric(middle, metric.unit);
  const auto [least, kMost] = std::minmax_element(values.begin(), values.end());
  return fmt::format("{} (median of {}; {} to {})", readable_metric(middle, metric.unit), values.size(),
                     readable_metric(*least, metric.unit), readable_metric(*kMost, metric.unit));
}

void write_side(const Outcome& outcome, std::size_t index, std::ostream& out) {
  const SideReport& side = outcome.repeats.back()[index];
  const auto line = [&](std::string_view label, std::string_view text) {
    out << fmt::format("  {:<18} {}\n", label, text);
  };
  out << side.side << '\n';
  for (const Metric& metric : side.metrics) line(metric.name, over_repeats(outcome, index, metric));
  if (side.latency && !side.latency->empty()) {
    const auto at = [&](double share) {
      return readable_time(static_cast<double>(side.latency->quantile(share)) * 1e-9);
    };
    line("latency",
         fmt::format("p50 {}  p90 {}  p99 {}  p99.9 {}  max {}", at(0.5), at(0.9), at(0.99), at(0.999),
                     readable_time(static_cast<double>(side.latency->maximum()) * 1e-9)));
  }
  const double seconds = std::chrono::duration<double>(side.duration).count();
  const double cpu = std::chrono::duration<double>(side.cpu.process()).count();
  std::string text =
      fmt::format("{:.1f} % of one (user {}, system {})", seconds > 0 ? 100 * cpu / seconds : 0,
                  readable_time(std::chrono::duration<double>(side.cpu.user).count()),
                  readable_time(std::chrono::duration<double>(side.cpu.system).count()));
  line("CPU", text);
  if (const auto demand = cpu_per_transaction(side))
    line("service demand", readable_time(*demand * 1e-9) + " of CPU per transaction");
  else if (const auto per_kb = cpu_per_kb(side))
    line("service demand", readable_time(*per_kb * 1e-9) + " of CPU per KB");
  for (const auto& [kind, count] : side.failures)
    if (count != 0) line(kind, with_thousands(count));
  // Of the last repeat.
  if (!outcome.intervals_shown)
    for (const IntervalReport& interval : side.intervals)
      if (const std::string its = interval_line(interval); !its.empty()) out << its << '\n';
}

}  // namespace

std::string readable_metric(double value, std::string_view unit) {
  if (unit == "s") return readable_time(value);
  if (unit == "bit/s") return with_prefix(value, "b/s");
  if (unit == "B/s" || unit == "flop/s") return with_prefix(value, unit);
  if (unit == "1") return readable(value);
  if (unit == "share") return value == 0 ? "0 %" : fmt::format("{:.3g} %", 100 * value);
  return fmt::format("{} {}", readable(value), unit);
}

std::string interval_line(const IntervalReport& interval) {
  const std::chrono::duration<double> start = interval.start, end = interval.end;
  const double seconds = (end - start).count();
  if (seconds <= 0) return "";
  const bool is_transactions = interval.transactions.value > 0;
  const double amount = is_transactions ? static_cast<double>(interval.transactions.value)
                                        : 8 * static_cast<double>(interval.bytes.value);
  constexpr double kShort = 0.05;  // what is meant to be a tenth ends before it now and then
  const int digits = seconds < kShort ? 3 : 1;
  const std::string rate =
      amount > 0 ? readable_metric(amount / seconds, is_transactions ? "1/s" : "bit/s") : "nothing";
  return fmt::format("    {:>6.{}f} to {:>5.{}f} s  {}", start.count(), digits, end.count(), digits, rate);
}

nlohmann::json Outcome::to_json() const {
  nlohmann::json list = nlohmann::json::array();
  for (const Repeat& repeat : repeats) {
    nlohmann::json sides = nlohmann::json::array();
    for (const SideReport& side : repeat) sides.push_back(side.to_json());
    list.push_back({{"sides", sides}});
  }
  nlohmann::json out{
      {"schema", 1},
      {"kind", "vtax-workload"},
      {"vtax", VTAX_VERSION},
      {"workload", workload},
      {"started", fmt::format("{:%FT%TZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(started)))},
      {"machine", machine()},
      {"options", options},
      {"repeats", list},
      {"warnings", warnings}};
  if (!repeats.empty()) out["summary"] = json_of(summary);
  if (interrupted) out["interrupted"] = true;
  if (error)
    out["error"] = {{"what", printable(error->what, 1000)},
                    {"why", printable(error->why, 1000)},
                    {"next", printable(error->next, 1000)}};
  return out;
}

void write_text(const Outcome& outcome, std::ostream& out) {
  out << outcome.workload << '\n';
  for (std::size_t side = 0; side < outcome.repeats.back().size(); ++side) write_side(outcome, side, out);
  for (const std::string& warning : outcome.warnings) out << "! " << warning << '\n';
}

}  // namespace vtax
