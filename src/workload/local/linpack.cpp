#include "workload/local/linpack.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <new>

#include "core/interruption.h"
#include "workload/local/factorisation.h"
#include "workload/local/option_bounds.h"
#include "workload/local/seeded.h"
#include "workload/measure/marker.h"

namespace vtax {
namespace {

using LinpackClock = std::chrono::steady_clock;
constexpr double kLinpackLimit = 16;  // of the normalised residual, HPL's

template <class Real>
struct LinearSystem {
  std::size_t n = 0;
  // Not set to zero: at the largest sizes that alone would take seconds in which nothing interrupts.
  std::unique_ptr<Real[]> a, factors;
  std::vector<Real> b, x;
  double norm_a = 0, norm_b = 0;

  LinearSystem(std::size_t size, std::uint64_t seed)
      : n(size),
        a(std::make_unique_for_overwrite<Real[]>(n * n)),
        factors(std::make_unique_for_overwrite<Real[]>(n * n)),
        b(n),
        x(n) {
    std::vector<double> rows(n), sums(n);
    SplitMix random(seed);
    for (std::size_t j = 0; j < n && !interrupted(); ++j) {
      for (std::size_t i = 0; i < n; ++i) {
        a[j * n + i] = static_cast<Real>(random.unit() - 0.5);
        rows[i] += std::abs(static_cast<double>(a[j * n + i]));
        sums[i] += static_cast<double>(a[j * n + i]);
      }
    }
    for (std::size_t i = 0; i < n; ++i) b[i] = static_cast<Real>(sums[i]);  // so that x is near 1
    norm_a = *std::max_element(rows.begin(), rows.end());
    for (const Real value : b) norm_b = std::max(norm_b, std::abs(static_cast<double>(value)));
  }

  void restore() {
    for (std::size_t j = 0; j < n && !interrupted(); ++j) std::copy_n(&a[j * n], n, &factors[j * n]);
    x = b;
  }

  // In double, whatever the precision of the system.
  [[nodiscard]] double normalised_residual() const {
    std::vector<double> rest(b.begin(), b.end());
    double norm_x = 0;
    for (std::size_t j = 0; j < n && !interrupted(); ++j) {
      const auto value = static_cast<double>(x[j]);
      norm_x = std::max(norm_x, std::abs(value));
      for (std::size_t i = 0; i < n; ++i) rest[i] -= static_cast<double>(a[j * n + i]) * value;
    }
    double worst = 0;
    for (const double one : rest)
      worst = std::isfinite(one) ? std::max(worst, std::abs(one)) : std::numeric_limits<double>::infinity();
    const double epsilon = std::numeric_limits<Real>::epsilon() / 2;  // of rounding to nearest, as HPL's
    return worst / (epsilon * (norm_a * norm_x + norm_b) * static_cast<double>(n));
  }
};

template <class Real>
Result<SideReport> linpack_of(const LinpackOptions& options) {
  const std::size_t n = options.size;
  const MatrixCode<Real> code = matrix_codes<Real>().front();
  LinearSystem<Real> system(n, options.seed);
  Factorisation<Real> factorisation(code);
  const auto size = static_cast<double>(n);
  const double operations = 2.0 / 3 * size * size * size + 2 * size * size;

  SideReport report;
  report.side = "local";
  Histogram latency;
  double seconds = 0, best = 1e300, worst_residual = 0;
  const CpuMeter meter;
  const auto start = LinpackClock::now();
  WindowProgress progress(options.window ? options.marking : Marking(), options.systems);
  if (options.window) marker::begin_window();
  do {
    system.restore();
    const auto before = LinpackClock::now();
    const bool regular = factorisation.factorise(system.factors.get(), n);
    if (interrupted()) break;
    if (regular) factorisation.solve(system.factors.get(), n, system.x.data());
    const auto took = LinpackClock::now() - before;
    const double residual = regular ? system.normalised_residual() : 1e300;
    if (interrupted()) break;
    if (!(residual < kLinpackLimit))
      return fail({fmt::format("the system of {} equations was solved wrongly", n),
                   fmt::format("its normalised residual is {:.3g}, the limit {}", residual, kLinpackLimit),
                   "this machine's CPU or memory is not to be trusted", ExitCode::trial_failed});
    worst_residual = std::max(worst_residual, residual);
    seconds += std::chrono::duration<double>(took).count();
    best = std::min(best, std::chrono::duration<double>(took).count());
    latency.record(static_cast<std::uint64_t>(std::chrono::nanoseconds(took).count()));
    report.transactions += Transactions(1);
    progress.at(report.transactions.value, 0, report.transactions.value);
  } while (options.systems != 0 ? report.transactions.value < options.systems
                                : LinpackClock::now() - start < options.duration);
  // The system that was under way is left out.
  if (interrupted() && (options.window || report.transactions.value == 0)) return fail(interruption_error());
  if (options.window) marker::end_window();
  report.duration = LinpackClock::now() - start;
  report.cpu = meter.since();
  const double all = operations * static_cast<double>(report.transactions.value);
  report.metrics = {{"rate", all / seconds, "flop/s", true}, {"best", operations / best, "flop/s", true}};
  report.latency = latency;
  report.details = {{"instructions", code.instructions},
                    {"operations_each", operations},
                    {"normalised_residual", worst_residual}};
  return report;
}

}  // namespace

Result<> LinpackOptions::check() const {
  if (Result<> good = within("--size", size, 2, 32768); !good) return good;
  return within("--duration", duration, std::chrono::milliseconds(1), kLongestRun);
}

Result<SideReport> run_linpack(const LinpackOptions& options) {
  if (Result<> good = options.check(); !good) return fail(good.error());
  const bool single = options.precision == Precision::single_precision;
  const std::uint64_t bytes = 2 * options.size * options.size * (single ? sizeof(float) : sizeof(double));
  if (Result<> good = fits_in_memory("the matrix and its factors", bytes); !good) return fail(good.error());
  try {
    return single ? linpack_of<float>(options) : linpack_of<double>(options);
  } catch (const std::bad_alloc&) {
    return fail({"cannot have the matrix", "there is no memory for it", "ask for a smaller --size",
                 ExitCode::unavailable});
  }
}

}  // namespace vtax
