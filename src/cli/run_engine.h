#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"
#include "study/plan.h"

// `vtax run --engine slurm`: the study as a job array of a cluster, in the folder beside its run file.
namespace vtax {

struct EngineOptions {
  std::string engine;  // "": this process runs the study
  std::uint64_t tasks = 0;
  std::string partition;
  std::vector<std::string> options;  // of sbatch
};

// `options` must live as long as the action that reads them.
void add_engine_options(CLI::App& app, EngineOptions& options);

// What `vtax run` was asked for, as far as every task is asked for the same.
struct SharedRun {
  std::vector<std::string> arguments;  // behind the study
  std::filesystem::path out;
  int jobs = 1;
  bool resume = false;
};

// Whether that is the folder of a sweep, and `--resume` goes on with it.
[[nodiscard]] bool is_sweep_folder(const std::filesystem::path& path);

// Waits for the merged run; `out` is then the run file. Errors: those of cluster/sweep.h; a plan that cannot
// be shared out (usage).
[[nodiscard]] Result<ExitCode> run_on_engine(const Plan& plan, const EngineOptions& options,
                                             const SharedRun& run);

// Likewise of a sweep that was begun; `out` is set to its run file.
[[nodiscard]] Result<ExitCode> go_on_with_sweep(const std::filesystem::path& folder,
                                                std::filesystem::path& out);

}  // namespace vtax
