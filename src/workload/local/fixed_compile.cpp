#include "workload/local/fixed_compile.h"

#include <fmt/format.h>
#include <sys/personality.h>

#include <algorithm>

#include "core/readable.h"
#include "workload/local/compiler_pool.h"
#include "workload/local/private_folder.h"
#include "workload/measure/marker.h"

namespace vtax {
namespace {

constexpr int kMostIncludeFolders = 8;

// What this thread starts meanwhile lies at the same addresses everywhere.
class FixedAddresses {
 public:
  FixedAddresses() : before_(personality(0xffffffff)) {
    if (before_ >= 0) personality(static_cast<unsigned long>(before_) | ADDR_NO_RANDOMIZE);
  }
  FixedAddresses(const FixedAddresses&) = delete;
  FixedAddresses& operator=(const FixedAddresses&) = delete;
  ~FixedAddresses() {
    if (before_ >= 0) personality(static_cast<unsigned long>(before_));
  }

 private:
  int before_;
};

std::vector<CompilerPool::Job> compile_jobs(const FixedCompileOptions& options,
                                            const std::filesystem::path& source) {
  std::vector<std::string> arguments{(options.folder / "cc1").string(), "-quiet", "-O2", "-nostdinc"};
  std::error_code ignored;
  for (int i = 0; i < kMostIncludeFolders; ++i) {
    const auto include = options.folder / fmt::format("include{}", i);
    if (std::filesystem::is_directory(include, ignored))
      arguments.insert(arguments.end(), {"-isystem", include.string()});
  }
  std::vector<CompilerPool::Job> jobs;
  for (std::uint64_t k = 1; k <= options.compiles; ++k) {
    jobs.push_back({arguments, fmt::format("{}.log", k)});
    jobs.back().arguments.insert(jobs.back().arguments.end(),
                                 {"-o", fmt::format("{}.s", k), source.string()});
  }
  return jobs;
}

}  // namespace

bool is_source_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Result<SideReport> run_fixed_compile(const FixedCompileOptions& options) {
  const auto source = options.folder / (options.source + ".c");
  std::error_code error;
  for (const auto& part : {options.folder / "cc1", source})
    if (!std::filesystem::is_regular_file(part, error))
      return fail({"cannot compile " + printable(options.source), "there is no " + printable(part.string()),
                   "", ExitCode::unavailable});
  const auto folder = PrivateFolder::make();
  if (!folder) return fail(folder.error());
  const auto jobs = compile_jobs(options, source);
  CompilerPool pool(folder->path(), {"LC_ALL=C", "TMPDIR=" + folder->path().string(),
                                     "LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu"});
  Result<> done;
  SideReport report;
  report.side = "local";
  {
    const FixedAddresses fixed;
    const CpuMeter meter;
    const auto start = std::chrono::steady_clock::now();
    if (options.window) marker::begin_window();
    done = pool.run(jobs, options.compiles);
    if (options.window) marker::end_window();
    report.duration = std::chrono::steady_clock::now() - start;
    report.cpu = meter.since();
  }
  if (!done) return fail(done.error());
  report.cpu.user += pool.used().user;
  report.cpu.system += pool.used().system;
  for (std::uint64_t k = 1; k <= options.compiles; ++k) {
    const auto size = std::filesystem::file_size(folder->path() / fmt::format("{}.s", k), error);
    if (error || size == 0)
      return fail({"the compiler has made nothing of " + printable(options.source),
                   "it said that all went well", "", ExitCode::trial_failed});
    report.transactions += Transactions(1);
  }
  report.latency = pool.latency();
  report.metrics = {{"seconds", std::chrono::duration<double>(report.duration).count(), "s", false}};
  return report;
}

}  // namespace vtax
