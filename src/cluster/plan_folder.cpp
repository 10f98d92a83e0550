#include "cluster/plan_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "core/readable.h"
#include "core/shell_word.h"
#include "record/run_reader.h"

namespace vtax::cluster {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kPlanSchema = 1;

json json_of(const SweepPlan& plan) {
  return {{"schema", kPlanSchema},       {"study", plan.study},         {"study_source", plan.study_source},
          {"arguments", plan.arguments}, {"shards", plan.shards},       {"trials", plan.trials},
          {"jobs", plan.jobs},           {"partition", plan.partition}, {"options", plan.options},
          {"out", plan.out.string()},    {"vtax", plan.vtax.string()}};
}

std::optional<SweepPlan> plan_of(const json& from) {
  SweepPlan plan;
  const auto text = [&](const char* key, std::string& into) {
    const auto found = from.find(key);
    if (found == from.end() || !found->is_string()) return false;
    into = found->get<std::string>();
    return true;
  };
  const auto texts = [&](const char* key, std::vector<std::string>& into) {
    const auto found = from.find(key);
    if (found == from.end() || !found->is_array()) return false;
    for (const json& one : *found) {
      if (!one.is_string()) return false;
      into.push_back(one.get<std::string>());
    }
    return true;
  };
  const auto number = [&](const char* key, auto& into) {
    const auto found = from.find(key);
    constexpr std::uint64_t kMost = 1'000'000;
    if (found == from.end() || !found->is_number_unsigned() || found->get<std::uint64_t>() > kMost)
      return false;
    into = found->get<std::remove_reference_t<decltype(into)>>();
    return true;
  };
  std::string out, vtax;
  int schema = 0;
  const bool good = number("schema", schema) && schema == kPlanSchema && text("study", plan.study) &&
                    text("study_source", plan.study_source) && texts("arguments", plan.arguments) &&
                    number("shards", plan.shards) && number("trials", plan.trials) &&
                    number("jobs", plan.jobs) && text("partition", plan.partition) &&
                    texts("options", plan.options) && text("out", out) && text("vtax", vtax);
  if (!good) return std::nullopt;
  plan.out = out;
  plan.vtax = vtax;
  return plan;
}

// A share's file is written on the computer's own disk, as SQLite wants it, and is then put into its place
// whole.
std::string task_text(const SweepPlan& plan, const fs::path& folder) {
  std::string command = shell_word(plan.vtax.string()) + " run study.toml";
  for (const std::string& word : plan.arguments) command += " " + shell_word(word);
  return fmt::format(R"(#!/bin/sh
# One share of the study, by SLURM_ARRAY_TASK_ID: its run file is in shards/ whole, or not at all.
cd {} || exit 5
share=$SLURM_ARRAY_TASK_ID
own=$(mktemp -d "${{TMPDIR:-/tmp}}/vtax-share-XXXXXX") || exit 5
trap 'rm -rf "$own"' EXIT
trap 'exit 143' TERM  # of a task that is cancelled or takes too long, without which EXIT's is not run
{} --shard "$share/{}" --jobs {} --out "$own/run.vtax" --json >/dev/null
code=$?
# 4: a trial failed, and the file says why.
if [ $code -eq 0 ] || [ $code -eq 4 ]; then
  cp "$own/run.vtax" "shards/.$share.$SLURM_JOB_ID" && mv "shards/.$share.$SLURM_JOB_ID" "shards/$share.vtax" || exit 5
fi
exit $code
)",
                     shell_word(folder.string()), command, plan.shards, plan.jobs);
}

std::string merge_text(const SweepPlan& plan, const fs::path& folder) {
  return fmt::format(R"(#!/bin/sh
# One run of all shares' files, put into its place whole.
cd {} || exit 5
rm -f merged.vtax
set -- shards/*.vtax
if [ -e "$1" ]; then
  {} merge "$@" --out merged.vtax
  code=$?
else
  echo "no share has a run file" >&2
  code=4
fi
if [ -f merged.vtax ]; then mv merged.vtax {} || code=5; fi
echo $code >.merge.code && mv .merge.code merge.code
exit $code
)",
                     shell_word(folder.string()), shell_word(plan.vtax.string()),
                     shell_word(plan.out.string()));
}

Result<> write_once(const fs::path& file, const std::string& text, mode_t mode) {
  if (auto written = write_text(file, text); !written) return written;
  if (::chmod(file.c_str(), mode) != 0) return fail(system_error("cannot protect " + file.string(), errno));
  return {};
}

}  // namespace

Result<PlanFolder> PlanFolder::create(const fs::path& folder, const SweepPlan& plan) {
  const std::string what = fmt::format("cannot begin a sweep in {}", printable(folder.string(), 200));
  std::error_code error;
  if (fs::symlink_status(folder, error).type() != fs::file_type::not_found)
    return fail(
        {what, "it is there already", "go on with it by --resume, or write to another file by --out"});
  for (const fs::path& part : {folder / "shards", folder / "logs"})
    if (auto made = make_directories(part); !made) return fail(made.error());
  const fs::path place = fs::absolute(folder, error).lexically_normal();
  for (const auto& [file, text, mode] : {std::tuple("study.toml", plan.study_source, mode_t{0444}),
                                         std::tuple("task.sh", task_text(plan, place), mode_t{0555}),
                                         std::tuple("merge.sh", merge_text(plan, place), mode_t{0555}),
                                         std::tuple("plan.json", json_of(plan).dump(2) + "\n", mode_t{0444})})
    if (auto written = write_once(place / file, text, mode); !written) return fail(written.error());
  return PlanFolder(place, plan);
}

Result<PlanFolder> PlanFolder::open(const fs::path& folder) {
  const std::string what = fmt::format("cannot go on with the sweep in {}", printable(folder.string(), 200));
  std::error_code error;
  if (!fs::exists(folder / "plan.json", error))
    return fail({what, "it has no plan.json", "begin one: `vtax run STUDY --engine slurm`"});
  const auto text = read_text(folder / "plan.json");
  if (!text) return fail(text.error());
  const json from = json::parse(*text, nullptr, false);
  auto plan = from.is_object() ? plan_of(from) : std::nullopt;
  if (!plan)
    return fail({what, "its plan.json is damaged, or of another vtax", "begin another sweep", ExitCode::io});
  return PlanFolder(fs::absolute(folder, error).lexically_normal(), std::move(*plan));
}

fs::path PlanFolder::shard(std::uint64_t number) const {
  return folder_ / "shards" / fmt::format("{}.vtax", number);
}

std::uint64_t PlanFolder::count_there() const {
  // One listing: of a thousand files a network's file system would be asked one by one.
  std::uint64_t there = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder_ / "shards", ignored))
    there += entry.path().extension() == ".vtax" ? 1U : 0U;
  return there;
}

std::set<std::uint64_t> PlanFolder::missing() const {
  std::set<std::uint64_t> missing;
  for (std::uint64_t number = 0; number < plan_.shards; ++number) {
    auto reader = RunReader::open(shard(number));
    bool is_whole = reader.has_value();
    if (is_whole) {
      const auto read = reader->for_each(RunReader::Detail::costs, [&](const Trial& trial) -> Result<> {
        is_whole = is_whole && trial.error.empty();
        return {};
      });
      is_whole = is_whole && read;
    }
    if (!is_whole) missing.insert(number);
  }
  return missing;
}

std::vector<std::string> PlanFolder::jobs() const {
  std::vector<std::string> jobs;
  const std::string text = read_text(folder_ / "jobs").value_or("");
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) jobs.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return jobs;
}

Result<> PlanFolder::set_jobs(const std::vector<std::string>& jobs) {
  std::error_code ignored;
  fs::remove(folder_ / "merge.code", ignored);
  std::string text;
  for (const std::string& job : jobs) text += job + "\n";
  return write_text(folder_ / "jobs", text);
}

std::optional<int> PlanFolder::merge_code() const {
  const std::string text = read_text(folder_ / "merge.code").value_or("");
  int code = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), code).ec != std::errc()) return std::nullopt;
  return code;
}

}  // namespace vtax::cluster
