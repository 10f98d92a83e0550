#include "cluster/sweep.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <chrono>

#include "cluster/slurm.h"
#include "core/files.h"
#include "core/interruption.h"
#include "core/readable.h"
#include "core/shell_word.h"
#include "core/subprocess.h"

namespace vtax::cluster {
namespace {

using Clock = std::chrono::steady_clock;

// A cell takes the lab 7 to 25 s with five repetitions (docs/benchmarks.md).
constexpr std::uint64_t kCellsOfATask = 6;
constexpr std::chrono::seconds kBetweenQueries{30};
constexpr int kMillisecondsBetweenLooks = 2000;

std::string how_to_go_on(const PlanFolder& folder) {
  return fmt::format("`vtax run --resume {}` submits what is missing; what the tasks said: {}",
                     shell_word_of(folder.path()), (folder.path() / "logs").string());
}

Result<> submit_what_is_missing(PlanFolder& folder, const SweepEvents& events) {
  const auto missing = folder.missing();
  const SweepPlan& plan = folder.plan();
  JobOptions options{"vtax-" + plan.study, plan.partition, plan.jobs, plan.options, folder.task_logs()};
  std::vector<std::string> jobs;
  if (!missing.empty()) {
    const auto array = submit_array(folder.task_script(), missing, options);
    if (!array) return fail(array.error());
    jobs.push_back(*array);
    events.on_note(fmt::format("{} of {} shares are submitted as job {}: {}", missing.size(), plan.shards,
                               *array, folder.path().string()));
  }
  options.log = folder.merge_log();
  options.name += "-merge";
  const auto merge = submit_after(jobs.empty() ? "" : jobs.front(), folder.merge_script(), options);
  if (!merge) return fail(merge.error());
  jobs.push_back(*merge);
  return folder.set_jobs(jobs);
}

Result<ExitCode> exit_code_of(const PlanFolder& folder, int code) {
  if (code == 0) return ExitCode::ok;
  std::error_code ignored;
  if (code == static_cast<int>(ExitCode::trial_failed) && std::filesystem::exists(folder.plan().out, ignored))
    return ExitCode::trial_failed;
  constexpr std::size_t kLines = 4;
  return fail({"the sweep is not whole",
               printable(last_lines(read_text(folder.merge_log()).value_or(""), kLines), 1000),
               how_to_go_on(folder), ExitCode::trial_failed});
}

Result<ExitCode> wait_for_merge(const PlanFolder& folder, const SweepEvents& events) {
  auto next_query = Clock::now() + kBetweenQueries;
  bool was_gone = false;
  while (true) {
    events.on_shares(folder.count_there(), folder.plan().shards);
    if (const auto code = folder.merge_code()) return exit_code_of(folder, *code);
    if (interrupted())
      return fail({"interrupted", "the jobs go on without this process",
                   fmt::format("`vtax run --resume {}` waits for them; scancel ends them",
                               shell_word_of(folder.path())),
                   ExitCode::interrupted});
    if (Clock::now() >= next_query) {
      next_query = Clock::now() + kBetweenQueries;
      const auto is_there = is_in_queue(folder.jobs());
      if (!is_there) {
        events.on_note(is_there.error().text());  // a controller may restart
      } else if (!*is_there && was_gone && !folder.merge_code()) {
        // Twice: files may come later than the queue forgets a job.
        return fail({"the sweep is not whole", "its jobs are gone, and their merge left nothing",
                     how_to_go_on(folder), ExitCode::trial_failed});
      } else {
        was_gone = !*is_there;
      }
    }
    pollfd end{interruption_fd(), POLLIN, 0};
    ::poll(&end, 1, kMillisecondsBetweenLooks);
  }
}

}  // namespace

std::uint64_t shares_of(std::uint64_t cells, std::uint64_t asked_for, std::uint64_t most_array_size) {
  const std::uint64_t wanted = asked_for > 0 ? asked_for : (cells + kCellsOfATask - 1) / kCellsOfATask;
  return std::max<std::uint64_t>(1, std::min({wanted, cells, most_array_size}));
}

Result<ExitCode> run_sweep(PlanFolder& folder, const SweepEvents& events) {
  bool is_under_way = false;
  if (const auto jobs = folder.jobs(); !jobs.empty() && !folder.merge_code()) {
    const auto is_there = is_in_queue(jobs);
    if (!is_there) return fail(is_there.error());
    is_under_way = *is_there;
    if (is_under_way) events.on_note("its jobs are in the queue already: waiting for them");
  }
  if (!is_under_way)
    if (auto submitted = submit_what_is_missing(folder, events); !submitted) return fail(submitted.error());
  return wait_for_merge(folder, events);
}

}  // namespace vtax::cluster
