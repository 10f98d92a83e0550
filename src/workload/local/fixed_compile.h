#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/result.h"
#include "workload/measure/side_report.h"

namespace vtax {

// Where the lab's images have GCC's C compiler proper, cc1, programs (NAME.c) and their headers (include0,
// include1, ..., in the order of search): docs/design/lab-image.md.
inline constexpr const char* kLabCompilerFolder = "/lab/compile";

// Compilers that work at once, each on all of the same program, at -O2; what each makes is thrown away. So
// that platforms compare, nothing is searched for in PATH, and addresses are not randomised.
struct FixedCompileOptions {
  std::filesystem::path folder;
  std::string source;          // "stb_perlin"
  std::uint64_t compiles = 1;  // at once
  bool window = false;         // the lab's markers around the measured part
};

// Letters, digits and _: it becomes part of a path.
[[nodiscard]] bool is_source_name(std::string_view name);

// `transactions` are compiles, each of which has made an assembler text; the latency is that of one. Errors:
// unavailable without the folder, trial_failed when a compiler fails.
[[nodiscard]] Result<SideReport> run_fixed_compile(const FixedCompileOptions& options);

}  // namespace vtax
