#pragma once

#include <chrono>
#include <cstdint>

#include "core/result.h"
#include "workload/measure/progress.h"
#include "workload/measure/side_report.h"

namespace vtax {

enum class Precision { single_precision, double_precision };

// Dense systems A x = b by LU with partial pivoting, as LINPACK counts them (Dongarra, "Performance of
// Various Computers Using Standard Linear Equations Software"): 2/3 n^3 + 2 n^2 floating point operations for
// one factorisation and solution. The default is the classic 100 x 100 in single precision; a larger --size
// measures what the CPU's vector units can do. One thread.
//
// Every solution is judged by the normalised residual of HPL,
//   |A x - b| / (eps (|A| |x| + |b|) n) < 16    in maximum norms,
// and a wrong one ends the run with an error.
struct LinpackOptions {
  std::uint64_t size = 100;  // n, 2 to 32768
  Precision precision = Precision::single_precision;
  std::chrono::nanoseconds duration = std::chrono::seconds(10);  // at least one system is solved
  std::uint64_t systems = 0;  // solve so many, whatever the time; 0: for the duration
  Marking marking = {};       // of the window's progress
  bool window = false;        // the lab's markers around them
  std::uint64_t seed = 1;     // of A's elements, -0.5 to 0.5

  [[nodiscard]] Result<> check() const;
};

// Metrics: `rate`, all operations over all time of factorising and solving; `best`, of the fastest system.
// `transactions` are systems, the latency is that of one. Restoring A and judging x is not timed, but its
// CPU time is in `cpu`.
[[nodiscard]] Result<SideReport> run_linpack(const LinpackOptions& options);

}  // namespace vtax
