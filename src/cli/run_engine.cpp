#include "cli/run_engine.h"

#include <fmt/format.h>

#include "cli/progress_line.h"
#include "cli/run_place.h"
#include "cluster/slurm.h"
#include "cluster/sweep.h"
#include "core/readable.h"
#include "study/machine_rules.h"
#include "study/plan_shards.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;

Result<ExitCode> wait_for(cluster::PlanFolder& folder) {
  ProgressLine progress(0);
  std::uint64_t last = folder.plan().shards + 1;
  return cluster::run_sweep(folder, {[&](const std::string& text) { progress.note(text); },
                                     [&](std::uint64_t there, std::uint64_t of) {
                                       if (there != last)
                                         progress.step(fmt::format("{} of {} shares are there", there, of));
                                       last = there;
                                     }});
}

Result<cluster::SweepPlan> sweep_plan(const Plan& plan, const EngineOptions& options, const SharedRun& run) {
  if (plan.study.machine == kHostMachine && options.tasks != 1)
    return fail(
        {fmt::format("cannot run study {} as several tasks", printable(plan.study.name)),
         "on machine host every computer's times are its own, and two tasks on one would measure each other",
         "submit it to one computer: --tasks 1 --option=--nodelist=NAME"});
  const auto most = cluster::most_array_size();
  if (!most) return fail(most.error());
  std::error_code error;
  return cluster::SweepPlan{plan.study.name,
                            plan.study.source,
                            run.arguments,
                            cluster::shares_of(count_cells(plan), options.tasks, *most),
                            plan.trials.size(),
                            run.jobs,
                            options.partition,
                            options.options,
                            fs::absolute(run.out, error).lexically_normal(),
                            fs::read_symlink("/proc/self/exe", error)};
}

Result<cluster::PlanFolder> open_same(const fs::path& folder, const cluster::SweepPlan& wanted) {
  auto opened = cluster::PlanFolder::open(folder);
  if (!opened) return opened;
  const cluster::SweepPlan& stored = opened->plan();
  if (stored.study_source != wanted.study_source || stored.arguments != wanted.arguments)
    return fail({fmt::format("cannot go on with the sweep in {}", printable(folder.string(), 200)),
                 "its study or settings are others",
                 "leave them out (`vtax run --resume FOLDER`), or write to another file by --out"});
  return opened;
}

}  // namespace

void add_engine_options(CLI::App& app, EngineOptions& options) {
  app.add_option("--engine", options.engine,
                 "slurm: run the study as a job array and merge it (docs/clusters.md); --jobs are then the\n"
                 "machines at once of a task (1)")
      ->check(CLI::IsMember({"slurm"}));
  app.add_option("--tasks", options.tasks, "Tasks of the array (default: about a minute's work or more each)")
      ->check(CLI::Range(std::uint64_t{1}, kMostTrials));
  app.add_option("--partition", options.partition, "Slurm's partition (default: the cluster's)");
  app.add_option("--option", options.options, "An option of sbatch, as it is: --option=--time=30")
      ->type_name("OPTION")
      ->allow_extra_args(false);
}

bool is_sweep_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path / "plan.json", ignored);
}

Result<ExitCode> run_on_engine(const Plan& plan, const EngineOptions& options, const SharedRun& run) {
  const auto wanted = sweep_plan(plan, options, run);
  if (!wanted) return fail(wanted.error());
  const fs::path place = fs::path(run.out).replace_extension(".slurm");
  auto folder = run.resume && is_sweep_folder(place) ? open_same(place, *wanted)
                                                     : cluster::PlanFolder::create(place, *wanted);
  if (!folder) return fail(folder.error());
  return wait_for(*folder);
}

Result<ExitCode> go_on_with_sweep(const fs::path& path, fs::path& out) {
  auto folder = cluster::PlanFolder::open(path);
  if (!folder) return fail(folder.error());
  out = folder->plan().out;
  return wait_for(*folder);
}

}  // namespace vtax
