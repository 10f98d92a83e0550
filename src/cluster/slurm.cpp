#include "cluster/slurm.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "core/readable.h"
#include "core/subprocess.h"

namespace vtax::cluster {
namespace {

constexpr std::size_t kShownLines = 3;
constexpr const char* kElsewhere =
    "submit from a computer of the cluster, with Slurm's commands in PATH; or run shares by hand "
    "(docs/clusters.md)";

Result<std::string> output_of(std::vector<std::string> arguments, const std::string& what) {
  Command command{std::move(arguments)};
  auto done = run_command(command);
  if (!done) {
    done.error().next = kElsewhere;
    return fail(done.error());
  }
  if (done->ok()) return std::move(done->out);
  const std::string why =
      done->timed_out ? "it did not answer within a minute" : last_lines(done->err, kShownLines);
  return fail({what, printable(why, 500), "", done->timed_out ? ExitCode::unavailable : ExitCode::io});
}

Result<std::string> submit(std::vector<std::string> own, const std::filesystem::path& script,
                           const JobOptions& options) {
  std::vector<std::string> words = {"sbatch", "--parsable", "--job-name=" + options.name,
                                    "--output=" + options.log.string(),
                                    "--chdir=" + script.parent_path().string()};
  if (!options.partition.empty()) words.push_back("--partition=" + options.partition);
  words.insert(words.end(), options.options.begin(), options.options.end());
  words.insert(words.end(), own.begin(), own.end());
  words.push_back(script.string());
  auto said = output_of(std::move(words), "cannot submit to Slurm");
  if (!said) return fail(said.error());
  // "12" or "12;cluster"
  const std::string job = said->substr(0, said->find_first_of(";\n"));
  const bool is_number =
      !job.empty() && std::all_of(job.begin(), job.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number)
    return fail({"cannot submit to Slurm", "sbatch answered " + printable(*said), "", ExitCode::io});
  return job;
}

}  // namespace

Result<std::uint64_t> most_array_size() {
  const std::string what = "cannot ask Slurm for its limits";
  const auto config = output_of({"scontrol", "show", "config"}, what);
  if (!config) return fail({what, config.error().why, kElsewhere, ExitCode::unavailable});
  constexpr std::string_view kKey = "MaxArraySize";
  std::uint64_t size = 0;
  if (auto at = config->find(kKey); at != std::string::npos) {
    at = config->find_first_of("0123456789\n", at + kKey.size());
    if (at != std::string::npos) std::from_chars(config->data() + at, config->data() + config->size(), size);
  }
  if (size == 0) return fail({what, "scontrol does not say MaxArraySize", "", ExitCode::io});
  return size;
}

std::string array_text(const std::set<std::uint64_t>& tasks) {
  std::vector<std::string> ranges;
  for (auto task = tasks.begin(); task != tasks.end();) {
    const std::uint64_t first = *task;
    std::uint64_t last = first;
    for (++task; task != tasks.end() && *task == last + 1; ++task) last = *task;
    ranges.push_back(first == last ? std::to_string(first) : fmt::format("{}-{}", first, last));
  }
  return fmt::format("{}", fmt::join(ranges, ","));
}

Result<std::string> submit_array(const std::filesystem::path& script, const std::set<std::uint64_t>& tasks,
                                 const JobOptions& options) {
  return submit({"--array=" + array_text(tasks), fmt::format("--cpus-per-task={}", options.cpus)}, script,
                options);
}

Result<std::string> submit_after(const std::string& job, const std::filesystem::path& script,
                                 const JobOptions& options) {
  std::vector<std::string> own;
  if (!job.empty()) own.push_back("--dependency=afterany:" + job);
  return submit(std::move(own), script, options);
}

Result<bool> is_in_queue(const std::vector<std::string>& jobs) {
  // Of a job that it has forgotten squeue says an error, if it is asked for it alone: so for all of the
  // user's.
  const auto queue =
      output_of({"squeue", "--me", "--noheader", "--format=%F"}, "cannot ask Slurm for its queue");
  if (!queue) return fail(queue.error());
  for (std::size_t at = 0; at < queue->size();) {
    const std::size_t end = std::min(queue->find('\n', at), queue->size());
    std::string job = queue->substr(at, end - at);
    job.erase(std::remove(job.begin(), job.end(), ' '), job.end());
    if (std::find(jobs.begin(), jobs.end(), job) != jobs.end()) return true;
    at = end + 1;
  }
  return false;
}

}  // namespace vtax::cluster
