#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "core/result.h"

// Slurm's commands (sbatch, squeue, scontrol), as far as a sweep needs them: no accounting, no database.
namespace vtax::cluster {

// What sbatch is told besides what a job does.
struct JobOptions {
  std::string name;
  std::string partition;             // "" for the cluster's default
  int cpus = 1;                      // of a task
  std::vector<std::string> options;  // as they are: "--time=10:00"
  std::filesystem::path log;         // %a stands for the task's number
};

// MaxArraySize: tasks are numbered below it. Errors: no Slurm here (unavailable); its controller does not
// answer.
[[nodiscard]] Result<std::uint64_t> most_array_size();

// "0-3,7": ranges of numbers, for --array.
[[nodiscard]] std::string array_text(const std::set<std::uint64_t>& tasks);

// Submits `script` once for each of `tasks`, as SLURM_ARRAY_TASK_ID; the job's identity. Errors: sbatch's
// words.
[[nodiscard]] Result<std::string> submit_array(const std::filesystem::path& script,
                                               const std::set<std::uint64_t>& tasks,
                                               const JobOptions& options);

// Submits `script` to run when every task of `job` has ended, in whatever way; at once where that is "".
[[nodiscard]] Result<std::string> submit_after(const std::string& job, const std::filesystem::path& script,
                                               const JobOptions& options);

// Whether one of the jobs waits or runs. Errors: the controller does not answer.
[[nodiscard]] Result<bool> is_in_queue(const std::vector<std::string>& jobs);

}  // namespace vtax::cluster
