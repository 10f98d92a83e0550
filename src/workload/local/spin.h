#pragma once

#include <cstdint>

#include "core/result.h"
#include "workload/measure/progress.h"
#include "workload/measure/side_report.h"

namespace vtax {

// Integer work whose every step needs the one before: its time is the same on any number of ports. Nine
// instructions or so an iteration, as the compiler has it. Returns the next call's state, which is not 0 if
// `state` was not.
[[nodiscard]] std::uint64_t spin(std::uint64_t state, std::uint64_t iterations);

inline constexpr std::uint64_t kSpinStart = 88172645463325252ULL;  // Marsaglia's, xorshift64

// A fixed number of iterations. `transactions` are iterations.
struct SpinOptions {
  std::uint64_t iterations = 10'000'000;
  bool window = false;   // the lab's markers around them
  Marking marking = {};  // of the window's progress

  [[nodiscard]] Result<> check() const;
};

[[nodiscard]] Result<SideReport> run_spin(const SpinOptions& options);

}  // namespace vtax
