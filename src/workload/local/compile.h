#pragma once

#include <cstdint>

#include "core/result.h"
#include "workload/local/source_tree.h"
#include "workload/measure/side_report.h"

namespace vtax {

// Compiles a generated program (source_tree.h) with the machine's own compiler, `cc` or `c++` on PATH, at
// -O2, `jobs` files at a time. Everything is in a private folder below TMPDIR that is removed at the end,
// also when it is interrupted; compilers that run then are ended. ccache, where `c++` means that, is told to
// stand aside.
struct CompileOptions {
  std::uint64_t files = 24;      // 1 to 10000
  std::uint64_t functions = 40;  // of each file, 1 to 1000
  std::uint64_t jobs = 1;        // 1 to 1024
  Language language = Language::cpp;
  std::uint64_t seed = 1;

  [[nodiscard]] Result<> check() const;
};

// Metrics: `seconds` (s) and `rate` (files, 1/s). `transactions` are object files that are there, `bytes`
// those of the sources, the latency is that of one file. The CPU time is that of vtax and of all it started.
[[nodiscard]] Result<SideReport> run_compile(const CompileOptions& options);

}  // namespace vtax
