#include "workload/local/spin.h"

#include <algorithm>

#include "workload/local/option_bounds.h"
#include "workload/measure/marker.h"

namespace vtax {

// One function for all who spin, so that a profile shows their work under one name.
[[gnu::noinline]] std::uint64_t spin(std::uint64_t state, std::uint64_t iterations) {
  std::uint64_t x = state;
  for (std::uint64_t i = 0; i < iterations; ++i) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    asm volatile("" : "+r"(x));
  }
  return x;
}

Result<> SpinOptions::check() const {
  return within("--iterations", iterations, 1, 100'000'000'000);
}

Result<SideReport> run_spin(const SpinOptions& options) {
  if (Result<> good = options.check(); !good) return fail(good.error());
  const CpuMeter meter;
  const auto start = std::chrono::steady_clock::now();
  if (options.window) marker::begin_window();
  std::uint64_t state = kSpinStart;
  if (options.window && options.marking.marks > 0) {
    WindowProgress progress(options.marking, options.iterations);
    const std::uint64_t part = options.iterations / options.marking.marks;
    for (std::uint64_t done = 0; done < options.iterations;) {
      const std::uint64_t now = std::min(std::max<std::uint64_t>(part, 1), options.iterations - done);
      state = spin(state, now);
      done += now;
      progress.at(done, 0, done);
    }
  } else {
    state = spin(state, options.iterations);
  }
  if (options.window) marker::end_window();
  SideReport report;
  report.side = "local";
  report.duration = std::chrono::steady_clock::now() - start;
  report.cpu = meter.since();
  report.transactions = Transactions(options.iterations);
  report.details["state"] = state;
  return report;
}

}  // namespace vtax
