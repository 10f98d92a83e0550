#include "workload/local/fio_json.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <cmath>

namespace vtax {
namespace {

nlohmann::json fio_latency(const Histogram& latency) {
  double squares = 0;
  for (const Histogram::Bucket& bucket : latency.buckets()) {
    const double middle = (static_cast<double>(bucket.low) + static_cast<double>(bucket.high)) / 2;
    squares += static_cast<double>(bucket.count) * (middle - latency.mean()) * (middle - latency.mean());
  }
  const auto count = static_cast<double>(latency.count());
  nlohmann::json percentiles = nlohmann::json::object();
  if (!latency.empty())
    for (const double percent :
         {1., 5., 10., 20., 30., 40., 50., 60., 70., 80., 90., 95., 99., 99.5, 99.9, 99.95, 99.99})
      percentiles[fmt::format("{:.6f}", percent)] = latency.quantile(percent / 100);
  return {{"min", latency.minimum()}, {"max", latency.maximum()},
          {"mean", latency.mean()},   {"stddev", count > 1 ? std::sqrt(squares / (count - 1)) : 0},
          {"N", latency.count()},     {"percentile", percentiles}};
}

nlohmann::json fio_direction(const SideReport& side, bool used) {
  const double seconds = used ? std::chrono::duration<double>(side.duration).count() : 0;
  const std::uint64_t bytes = used ? side.bytes.value : 0;
  const double rate = seconds > 0 ? static_cast<double>(bytes) / seconds : 0;
  const std::uint64_t operations = used ? side.transactions.value : 0;
  const nlohmann::json latency = fio_latency(used && side.latency ? *side.latency : Histogram());
  const double iops = seconds > 0 ? static_cast<double>(operations) / seconds : 0;
  return {{"io_bytes", bytes},
          {"io_kbytes", bytes / 1024},
          {"bw_bytes", std::llround(rate)},
          {"bw", std::llround(rate / 1024)},
          {"iops", iops},
          {"runtime", std::llround(seconds * 1000)},
          {"total_ios", operations},
          {"short_ios", 0},
          // A block's time is measured as a whole: from when it is handed over until it is done. fio splits
          // it at the moment of submission; here all of it is completion, so that the two still add up.
          {"slat_ns", fio_latency(Histogram())},
          {"clat_ns", latency},
          {"lat_ns", latency},
          // Of the whole run: there are no samples of intervals to take a mean of.
          {"bw_mean", rate / 1024},
          {"iops_mean", iops}};
}

}  // namespace

std::string fio_json(const Outcome& outcome) {
  const auto time = std::chrono::system_clock::to_time_t(outcome.started);
  nlohmann::json out{{"fio version", "vtax " VTAX_VERSION},
                     {"timestamp", time},
                     {"time", fmt::format("{:%a %b %e %H:%M:%S %Y}", fmt::gmtime(time))},
                     {"jobs", nlohmann::json::array()}};
  const bool reads = outcome.options.value("operation", "read") == "read";
  for (const Repeat& repeat : outcome.repeats) {
    const SideReport& side = repeat.at(0);
    const double span = std::chrono::duration<double>(side.duration).count();
    const auto percent = [&](std::chrono::nanoseconds time_used) {
      return span > 0 ? 100 * std::chrono::duration<double>(time_used).count() / span : 0;
    };
    out["jobs"].push_back({{"jobname", "vtax"},
                           {"groupid", 0},
                           {"error", 0},
                           {"job options", outcome.options},
                           {"read", fio_direction(side, reads)},
                           {"write", fio_direction(side, !reads)},
                           {"trim", fio_direction(side, false)},
                           {"elapsed", static_cast<std::int64_t>(std::ceil(span))},
                           {"job_runtime", std::llround(span * 1000)},
                           {"usr_cpu", percent(side.cpu.user)},
                           {"sys_cpu", percent(side.cpu.system)},
                           {"ctx", side.cpu.voluntary_switches + side.cpu.involuntary_switches}});
  }
  return out.dump(2, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace vtax
