#include "workload/local/softload.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include "core/interruption.h"
#include "workload/local/cpu_list.h"
#include "workload/local/option_bounds.h"
#include "workload/local/share_control.h"
#include "workload/local/spin.h"

namespace vtax {
namespace {

constexpr std::int64_t kSoftloadNapNs = 50'000'000;  // an interruption waits no longer than this

std::int64_t softload_clock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

// All of one run: a thread that cannot be had ends those that are there.
struct SoftloadTeam {
  const SoftloadOptions& options;
  std::atomic<bool> cancelled = false;
};

class ThreadCpu final : public LoadedCpu {
 public:
  explicit ThreadCpu(const SoftloadTeam& team) : team_(team) {}

  std::int64_t now_ns() override { return softload_clock(CLOCK_MONOTONIC); }
  std::int64_t used_ns() override { return softload_clock(CLOCK_THREAD_CPUTIME_ID); }
  bool over() override { return team_.cancelled || interrupted(); }

  void spin(std::uint64_t iterations) override { state_ = vtax::spin(state_, iterations); }

  void sleep_until(std::int64_t then) override {
    for (std::int64_t now = now_ns(); now < then && !over(); now = now_ns()) {
      const std::int64_t next = std::min(then, now + kSoftloadNapNs);
      const timespec due{next / 1'000'000'000, next % 1'000'000'000};
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, nullptr);
    }
  }

 private:
  const SoftloadTeam& team_;
  std::uint64_t state_ = kSpinStart;
};

struct SoftloadThread {
  std::optional<int> cpu;
  bool placed = true;  // on `cpu`, where one was asked for
  ShareControl::Reached reached;

  void run(SoftloadTeam& team, std::int64_t start) {
    const auto pinned = cpu ? std::make_unique<Pinned>(*cpu) : nullptr;
    placed = !pinned || pinned->done();
    if (!placed) team.cancelled = true;
    ThreadCpu own(team);
    const SoftloadOptions& options = team.options;
    reached = ShareControl(own).hold(options.share, start, options.period.count(), options.duration.count());
  }
};

Result<> softload_run_all(const SoftloadOptions& options, std::vector<SoftloadThread>& work) {
  const std::int64_t start = softload_clock(CLOCK_MONOTONIC) + 20'000'000;  // when all of them are there
  SoftloadTeam team{options};
  std::vector<std::thread> threads;
  Result<> result;
  for (SoftloadThread& one : work) {
    try {
      threads.emplace_back([&] { one.run(team, start); });
    } catch (const std::system_error& error) {
      team.cancelled = true;
      result = fail({fmt::format("cannot start thread {} of {}", threads.size() + 1, work.size()),
                     error.what(), "ask for fewer --threads", ExitCode::unavailable});
      break;
    }
  }
  for (std::thread& thread : threads) thread.join();
  for (const SoftloadThread& one : work)
    if (result && !one.placed)
      result = fail({fmt::format("cannot load CPU {}", *one.cpu), "this process may not use it (any more)",
                     "leave it out of --cpus, or look at the cpuset", ExitCode::unavailable});
  return result;
}

}  // namespace

Result<> SoftloadOptions::check() const {
  if (!(share >= 0.01 && share <= 1))
    return fail({fmt::format("--share cannot be {}", share), "it is a part of one CPU",
                 "from 0.01 to 1 is possible, for example --share 0.5"});
  if (Result<> good = within("--threads", threads, 1, kMostThreads); !good) return good;
  if (Result<> good = within("--period", period, std::chrono::microseconds(100), std::chrono::seconds(1));
      !good)
    return good;
  return within("--duration", duration, period, kLongestRun);
}

Result<SideReport> run_softload(const SoftloadOptions& options) {
  if (Result<> good = options.check(); !good) return fail(good.error());
  std::vector<SoftloadThread> threads(options.cpus.empty() ? options.threads : options.cpus.size());
  for (std::size_t i = 0; i < options.cpus.size(); ++i) threads[i].cpu = options.cpus[i];
  const CpuMeter meter;
  if (Result<> done = softload_run_all(options, threads); !done) return fail(done.error());
  for (const SoftloadThread& one : threads)
    if (interrupted() && one.reached.span_ns < options.period.count()) return fail(interruption_error());

  SideReport report;
  report.side = "local";
  report.cpu = meter.since();
  Histogram lateness;
  double share = 0;
  nlohmann::json shares = nlohmann::json::array();
  std::uint64_t periods = 0;
  for (const SoftloadThread& one : threads) {
    const ShareControl::Reached& reached = one.reached;
    const double own = static_cast<double>(reached.used_ns) / static_cast<double>(reached.span_ns);
    share += own / static_cast<double>(threads.size());
    shares.push_back(own);
    lateness.add(reached.lateness);
    periods += reached.periods;
    report.duration = std::max(report.duration, std::chrono::nanoseconds(reached.span_ns));
  }
  const double error = 100 * (share - options.share);
  report.metrics = {{"share", share, "share", true}, {"share_error", error, "1", false}};
  if (!options.cpus.empty()) report.details["cpus"] = options.cpus;
  report.details.update({{"asked_share", options.share},
                         {"thread_shares", shares},
                         {"periods", periods},
                         {"lateness", to_json(lateness)}});
  if (std::abs(error) > 1)
    report.details["warnings"] = {fmt::format(
        "The share is {:.1f} points off: this machine had no CPU time left to give, or took it back late.",
        error)};
  return report;
}

}  // namespace vtax
