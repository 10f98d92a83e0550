#include "workload/local/compile.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "core/files.h"
#include "core/interruption.h"
#include "core/subprocess.h"
#include "workload/local/compiler_pool.h"
#include "workload/local/option_bounds.h"
#include "workload/local/private_folder.h"

namespace vtax {
namespace {

std::string compiler_on_path(const std::string& name) {
  const char* const path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "/usr/bin:/bin" : path;
  while (!rest.empty()) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    std::string candidate = std::string(folder) + "/" + name;
    if (candidate.front() == '/' && access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

std::vector<std::string> compiler_environment(const std::filesystem::path& folder) {
  std::vector<std::string> out{"TMPDIR=" + folder.string(), "LC_ALL=C", "CCACHE_DISABLE=1"};
  for (const char* name : {"PATH", "HOME"})
    if (const char* value = std::getenv(name); value != nullptr)
      out.push_back(std::string(name) + "=" + value);
  return out;
}

Result<std::string> compiler_version(const std::string& compiler) {
  Command command{{compiler, "--version"}};
  command.time_limit = std::chrono::seconds(10);
  const auto done = run_command(command);
  if (!done) return fail(done.error());
  if (!done->ok())
    return fail(
        {"cannot use " + compiler, "`--version` fails", "install a compiler: g++", ExitCode::unavailable});
  return done->out.substr(0, done->out.find('\n'));
}

struct CompilerWork {
  std::uint64_t source_bytes = 0;
  std::vector<CompilerPool::Job> jobs;
};

Result<CompilerWork> write_tree(const std::vector<SourceFile>& tree, const std::filesystem::path& folder,
                                const std::string& compiler) {
  CompilerWork work;
  for (const SourceFile& file : tree) {
    if (interrupted()) return fail(interruption_error());
    if (Result<> kept = write_text(folder / file.name, file.text); !kept) return fail(kept.error());
    work.source_bytes += file.text.size();
    if (file.name.ends_with(".h")) continue;
    work.jobs.push_back({{compiler, "-O2", "-c", "-o", file.name + ".o", file.name}, file.name + ".log"});
  }
  return work;
}

}  // namespace

Result<> CompileOptions::check() const {
  if (Result<> good = within("--files", files, 1, 10'000); !good) return good;
  if (Result<> good = within("--functions", functions, 1, 1000); !good) return good;
  return within("--jobs", jobs, 1, kMostThreads);
}

Result<SideReport> run_compile(const CompileOptions& options) {
  if (Result<> good = options.check(); !good) return fail(good.error());
  const std::string name = options.language == Language::c ? "cc" : "c++";
  const std::string compiler = compiler_on_path(name);
  if (compiler.empty())
    return fail({"cannot compile", "there is no " + name + " in PATH", "install a compiler, for example g++",
                 ExitCode::unavailable});
  const auto version = compiler_version(compiler);
  if (!version) return fail(version.error());
  const auto folder = PrivateFolder::make();
  if (!folder) return fail(folder.error());
  const auto tree = source_tree(options.seed, options.files, options.functions, options.language);
  const auto work = write_tree(tree, folder->path(), compiler);
  if (!work) return fail(work.error());

  CompilerPool pool(folder->path(), compiler_environment(folder->path()));
  const CpuMeter meter;
  const auto start = std::chrono::steady_clock::now();
  if (Result<> done = pool.run(work->jobs, options.jobs); !done) return fail(done.error());
  SideReport report;
  report.side = "local";
  report.duration = std::chrono::steady_clock::now() - start;
  report.cpu = meter.since();
  report.cpu.user += pool.used().user;
  report.cpu.system += pool.used().system;
  report.cpu.voluntary_switches += pool.used().voluntary_switches;
  report.cpu.involuntary_switches += pool.used().involuntary_switches;
  for (const SourceFile& file : tree) {
    if (file.name.ends_with(".h")) continue;
    std::error_code unknown;
    const auto size = std::filesystem::file_size(folder->path() / (file.name + ".o"), unknown);
    if (unknown || size == 0)
      return fail({"the compiler has made no object file of " + file.name, "it said that all went well",
                   "look at what `" + name + "` in PATH is", ExitCode::trial_failed});
    report.transactions += Transactions(1);
  }
  report.bytes = Bytes(work->source_bytes);
  report.latency = pool.latency();
  const double seconds = std::chrono::duration<double>(report.duration).count();
  report.metrics = {{"seconds", seconds, "s", false},
                    {"rate", static_cast<double>(report.transactions.value) / seconds, "1/s", true}};
  report.details = {{"compiler", *version}, {"sources_sha256", sha256_of(tree)}};
  return report;
}

}  // namespace vtax
