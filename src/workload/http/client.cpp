#include "workload/http/client.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <thread>

#include "core/interruption.h"
#include "core/readable.h"
#include "workload/http/client_loop.h"
#include "workload/http/open_files.h"
#include "workload/measure/marker.h"

namespace vtax::http {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr std::size_t kDescriptorsOfTheClient = 32;
constexpr double kBusyShare = 0.95;  // a thread that uses more of a CPU has nothing left
constexpr double kRateReached = 0.99;

double seconds(nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

// Until `at`, or until the process is interrupted.
void sleep_until(Clock::time_point at) {
  for (auto left = at - Clock::now(); left > nanoseconds(0); left = at - Clock::now()) {
    pollfd stop{interruption_fd(), POLLIN, 0};
    const timespec time{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
    if (ppoll(&stop, 1, &time, nullptr) > 0) return;
  }
}

nlohmann::json without_buckets(const Histogram& histogram) {
  nlohmann::json out = to_json(histogram);
  out.erase("buckets");
  return out;
}

IntervalReport report_of(const Load& load, std::size_t number, const ClientCounts::Interval& counts) {
  const auto start = load.interval * static_cast<std::int64_t>(number);
  return {start, std::min(start + load.interval, load.duration), Bytes(counts.bytes),
          Transactions(counts.transactions)};
}

SideReport report_of(const Load& load, const ClientCounts& counts, const CpuUse& cpu) {
  SideReport out;
  out.side = "client";
  out.duration = load.duration;
  out.bytes = Bytes(counts.bytes);
  out.messages = Packets(counts.requests);
  out.transactions = Transactions(counts.transactions);
  out.cpu = cpu;
  out.metrics = {
      {"responses", static_cast<double>(counts.transactions) / seconds(load.duration), "1/s", true},
      {"content", 8 * static_cast<double>(counts.bytes) / seconds(load.duration), "bit/s", true}};
  for (std::size_t i = 0; i < kFailureKinds; ++i)
    if (counts.failures[i] != 0) out.failures[name_of(static_cast<Failure>(i))] = counts.failures[i];
  out.latency = counts.latency;
  for (std::size_t i = 0; i < counts.intervals.size(); ++i)
    out.intervals.push_back(report_of(load, i, counts.intervals[i]));
  out.details["connections"] = counts.connections;
  out.details["thread_cpu_ns"] = counts.cpu.count();
  if (load.mode != Load::Mode::closed) {
    out.details["asked_rate"] = load.rate;
    out.details["waited_for_connection"] = counts.waited;
    out.details["service_time"] = to_json(counts.service);
    out.details["lateness"] = without_buckets(counts.lateness);
    out.metrics.push_back(
        {"service p50", static_cast<double>(counts.service.quantile(0.5)) * 1e-9, "s", false});
    out.metrics.push_back(
        {"service p99", static_cast<double>(counts.service.quantile(0.99)) * 1e-9, "s", false});
  }
  return out;
}

std::string failures_of(const ClientCounts& counts) {
  std::string out;
  for (std::size_t i = 0; i < kFailureKinds; ++i) {
    const auto kind = static_cast<Failure>(i);
    if (counts.of(kind) == 0 || kind == Failure::late) continue;
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", with_thousands(counts.of(kind)), name_of(kind));
  }
  return out;
}

double busy(const Load& load, const ClientCounts& counts) {
  return seconds(counts.cpu) / seconds(load.duration) / load.threads;
}

// What to do about the commonest failure.
std::string advice(const Load& load, const ClientCounts& counts) {
  if (counts.of(Failure::refused) > 0) return "is the server running, and on this port?";
  if (counts.of(Failure::no_port) > 0)
    return "this machine is out of local ports: --keep-alive, a lower rate, or more ports "
           "(sysctl net.ipv4.ip_local_port_range)";
  if (counts.of(Failure::no_descriptor) > 0)
    return "raise the limit of open files (ulimit -n) or lower --connections";
  if (counts.of(Failure::unreachable) > 0)
    return "check the address and the route to it (ip route get ADDRESS)";
  if (counts.of(Failure::http_error) > 0) {
    return fmt::format("the server answers with status {}: check the path{}", counts.http_status,
                       load.url.path == "/" ? "; --file-set asks for files that a server must have" : "");
  }
  if (counts.of(Failure::bad_response) > 0) return "the first bad response: " + counts.bad_response;
  if (counts.of(Failure::timeout) > 0) return "is it a web server? --timeout waits longer";
  return "is it a web server?";
}

std::vector<std::string> warnings_of(const Load& load, const ClientCounts& counts) {
  std::vector<std::string> out;
  const double reached = static_cast<double>(counts.transactions) / seconds(load.duration);
  const double asked =
      load.mode == Load::Mode::connections ? load.rate * load.requests_per_connection : load.rate;
  if (const std::string failures = failures_of(counts); !failures.empty())
    out.push_back(fmt::format("Not every request was answered: {}; {}.", failures, advice(load, counts)));
  // Of few requests one more or less is no sign of anything.
  const bool missed = load.mode != Load::Mode::closed &&
                      reached * seconds(load.duration) < kRateReached * asked * seconds(load.duration) - 3;
  if (missed) {
    std::string why = "the responses came late: the server does not keep up";
    if (!failures_of(counts).empty()) why = "of the failures";
    if (counts.waited > 0)
      why = fmt::format("all {} connections were waiting for the server (--connections allows more)",
                        load.connections);
    if (busy(load, counts) > kBusyShare) why = "this client's CPU is fully busy (--threads adds some)";
    if (counts.of(Failure::no_port) > 0) why = "this machine is out of local ports";
    out.push_back(fmt::format("The rate asked for, {} responses/s, was not reached: {}/s, since {}.",
                              readable(asked), readable(reached), why));
  }
  if (!missed && busy(load, counts) > kBusyShare) {
    out.push_back(
        fmt::format("The client's {} busy {:.0f} % of the time: the figure may be the client's limit, not "
                    "the server's; add --threads.",
                    load.threads == 1 ? "thread was" : "threads were", 100 * busy(load, counts)));
  }
  if (const std::uint64_t late = counts.of(Failure::late);
      load.mode != Load::Mode::closed && late * 100 > counts.requests)
    out.push_back(
        fmt::format("{} requests began more than {} us after they were due, by this client's fault: their "
                    "latency is too high, and the load came in bursts.",
                    with_thousands(late), load.late.count() / 1000));
  return out;
}

// Of all intervals but the last, each a moment after its end, when the loops have counted what came in it;
// how many were told.
std::size_t tell_intervals(const Load& load, const LoadTimes& span,
                           const std::vector<std::unique_ptr<ClientLoop>>& loops,
                           const std::function<void(const IntervalReport&)>& on_interval) {
  constexpr std::chrono::milliseconds kMoment{20};
  std::size_t told = 0;
  for (nanoseconds end = load.interval; end < load.duration && end.count() > 0; end += load.interval) {
    sleep_until(std::min(span.begin + end + kMoment, span.end));
    if (interrupted() || Clock::now() >= span.end) break;
    ClientCounts::Interval sum;
    for (const auto& loop : loops) sum.add(loop->counts().intervals[told]);
    on_interval(report_of(load, told++, sum));
  }
  return told;
}

}  // namespace

Result<> check(const Load& load) {
  const auto wrong = [](std::string what, std::string why, std::string next = "") {
    return fail({std::move(what), std::move(why), std::move(next)});
  };
  const bool closed = load.mode == Load::Mode::closed;
  if (!closed && !(load.rate > 0 && load.rate <= 1e7))
    return wrong("no such rate", fmt::format("{} per second", load.rate), "above 0, at most 10 million");
  if (load.threads < 1 || load.threads > 256)
    return wrong("no such number of threads", fmt::format("{}", load.threads), "1 to 256");
  if (load.connections < static_cast<std::size_t>(load.threads) || load.connections > 1'000'000)
    return wrong("no such number of connections",
                 fmt::format("{} for {} threads", load.connections, load.threads),
                 "one for each thread, at most a million");
  if (load.requests_per_connection < 1 || load.requests_per_connection > 1'000'000)
    return wrong("no such number of requests per connection", fmt::format("{}", load.requests_per_connection),
                 "1 to a million");
  if (load.duration <= nanoseconds(0))
    return wrong("no such duration", "it is zero", "for example --duration 10s");
  if (load.timeout <= nanoseconds(0))
    return wrong("no such timeout", "it is zero", "for example --timeout 5s");
  if (load.interval.count() > 0 && load.duration / load.interval > 100'000)
    return wrong("no such interval", "that would be more than 100,000 reports", "ask for longer ones");
  return {};
}

Result<ClientReport> run_client(const Load& asked, const RequestSource& source,
                                const std::function<void(const IntervalReport&)>& on_interval) {
  Load load = asked;
  if (Result<> good = check(load); !good) return fail(good.error());
  raise_open_files();
  if (load.mode == Load::Mode::closed && load.connections + kDescriptorsOfTheClient > open_files_limit())
    return fail({fmt::format("cannot open {} connections", with_thousands(load.connections)),
                 fmt::format("this process may open {} files", with_thousands(open_files_limit())),
                 "raise the limit (ulimit -n), or ask for fewer", ExitCode::unavailable});

  const Clock::time_point start = Clock::now() + std::chrono::milliseconds(5);  // threads start meanwhile
  const LoadTimes span{start, start + load.warm_up, start + load.warm_up + load.duration};
  std::vector<std::unique_ptr<ClientLoop>> loops;
  for (int i = 0; i < load.threads; ++i) loops.push_back(std::make_unique<ClientLoop>(load, source, span, i));
  std::vector<Result<>> ends(loops.size());
  std::vector<std::thread> workers;
  for (std::size_t i = 0; i < loops.size(); ++i) workers.emplace_back([&, i] { ends[i] = loops[i]->run(); });
  sleep_until(span.begin);
  const CpuMeter meter;
  std::size_t told = 0;
  if (on_interval) told = tell_intervals(load, span, loops, on_interval);
  sleep_until(span.end);
  const CpuUse cpu = meter.since();
  const Clock::time_point end = Clock::now();
  for (std::thread& worker : workers) worker.join();
  for (const Result<>& one : ends)
    if (!one) return fail(one.error());

  ClientCounts counts;
  for (const auto& loop : loops) counts.add(loop->counts());
  if (interrupted() && end < span.end) {
    if (end <= span.begin || counts.transactions == 0) return fail(interruption_error());
    load.duration = end - span.begin;
    const nanoseconds rest = load.interval - nanoseconds(1);
    if (load.interval.count() > 0)
      counts.intervals.resize(static_cast<std::size_t>((load.duration + rest) / load.interval));
  }
  if (counts.transactions == 0) {
    const std::string failures = failures_of(counts);
    return fail(
        {fmt::format("no response from {}", load.url.text()),
         failures.empty() ? fmt::format("none came within {}", seconds(load.duration)) + " s" : failures,
         failures.empty() ? "measure longer (--duration), or at a higher rate" : advice(load, counts),
         ExitCode::trial_failed});
  }
  ClientReport report{report_of(load, counts, cpu), warnings_of(load, counts)};
  if (on_interval)
    std::for_each(report.side.intervals.begin() + static_cast<std::ptrdiff_t>(told),
                  report.side.intervals.end(), on_interval);
  return report;
}

Result<SideReport> run_requests(const Load& load, const RequestSource& source, bool window) {
  if (Result<> good = check(load); !good) return fail(good.error());
  raise_open_files();
  const CpuMeter meter;
  const Clock::time_point start = Clock::now();
  ClientLoop loop(load, source, {start, start, start + load.duration}, 0);
  if (window) marker::begin_window();
  const Result<> ended = loop.run();
  if (window) marker::end_window();
  const nanoseconds took = Clock::now() - start;
  if (!ended) return fail(ended.error());
  if (interrupted()) return fail(interruption_error());
  const ClientCounts& counts = loop.counts();
  if (counts.transactions != load.total)
    return fail({fmt::format("{} of {} requests to {} were answered", counts.transactions, load.total,
                             load.url.text()),
                 failures_of(counts), advice(load, counts), ExitCode::trial_failed});
  SideReport report = report_of(load, counts, meter.since());
  report.duration = took;
  return report;
}

}  // namespace vtax::http
