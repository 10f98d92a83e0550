#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/result.h"

namespace vtax::cluster {

// What a sweep's tasks do; it never changes once it is written.
struct SweepPlan {
  std::string study;                   // its name
  std::string study_source;            // the study file's text
  std::vector<std::string> arguments;  // of `vtax run` behind the study: "--set", "platform=native", ...
  std::uint64_t shards = 1;
  std::uint64_t trials = 0;
  int jobs = 1;  // machines at once, and CPUs, of a task
  std::string partition;
  std::vector<std::string> options;  // of sbatch
  std::filesystem::path out;         // the merged run file, absolute
  std::filesystem::path vtax;        // the program, absolute

  bool operator==(const SweepPlan&) const = default;
};

// The folder of a sweep, on storage that submitter and tasks share:
//   plan.json, study.toml, task.sh, merge.sh   what is to be done; written once
//   shards/N.vtax    the run file of share N: whole, or absent
//   logs/            what each task said
//   jobs             the identities of the last array and of its merge
//   merge.code       the exit code of the merge, when it has ended; merge.log, what it said
class PlanFolder {
 public:
  // Errors: the folder is there (usage), system errors.
  [[nodiscard]] static Result<PlanFolder> create(const std::filesystem::path& folder, const SweepPlan& plan);
  // Errors: no such folder or plan (usage), a plan that is damaged (io).
  [[nodiscard]] static Result<PlanFolder> open(const std::filesystem::path& folder);

  [[nodiscard]] const SweepPlan& plan() const { return plan_; }
  [[nodiscard]] std::filesystem::path task_script() const { return folder_ / "task.sh"; }
  [[nodiscard]] std::filesystem::path merge_script() const { return folder_ / "merge.sh"; }
  [[nodiscard]] std::filesystem::path task_logs() const { return folder_ / "logs" / "%a.log"; }
  [[nodiscard]] std::filesystem::path merge_log() const { return folder_ / "merge.log"; }
  [[nodiscard]] const std::filesystem::path& path() const { return folder_; }

  // Shares that have a file.
  [[nodiscard]] std::uint64_t count_there() const;
  // Shares whose file is absent, damaged, or has a trial that failed.
  [[nodiscard]] std::set<std::uint64_t> missing() const;

  [[nodiscard]] std::vector<std::string> jobs() const;  // empty before the first
  // Also forgets how an earlier merge ended.
  [[nodiscard]] Result<> set_jobs(const std::vector<std::string>& jobs);
  // The merge's exit code; nothing while it has not ended.
  [[nodiscard]] std::optional<int> merge_code() const;

 private:
  PlanFolder(std::filesystem::path folder, SweepPlan plan)
      : folder_(std::move(folder)), plan_(std::move(plan)) {}
  [[nodiscard]] std::filesystem::path shard(std::uint64_t number) const;

  std::filesystem::path folder_;
  SweepPlan plan_;
};

}  // namespace vtax::cluster
