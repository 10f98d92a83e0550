// A study as an array of Slurm whose tasks are killed, beside a single process: is anything lost, do the
// digests differ, what does it cost?
//   build/release/cluster_killed measured [CELLS [TASKS]]   400 cells of a loop in the lab, in 40 tasks
//   build/release/cluster_killed made-up [TRIALS [TASKS]]   10,000 trials in 1,000 tasks: the array, its
//                                                           files and the merge are real, the counts made up
// Munge, Slurm's controller and one node of two CPUs run here as children (tests/cluster/one_machine_slurm.h,
// which needs root). A tenth of the tasks is killed while they run, and the node's daemon restarts halfway;
// what is missing then is submitted again by --resume. CPU time is that of all that was started, Slurm's
// daemons and killed tasks included. Exit code 1 when a trial is lost or counted otherwise.

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "bench/must.h"
#include "bench/own_folder.h"
#include "cluster/plan_folder.h"
#include "core/subprocess.h"
#include "record/run_reader.h"
#include "tests/cluster/one_machine_slurm.h"
#include "tests/program.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Digests = std::map<std::uint64_t, std::string>;

constexpr int kCpus = 2;
constexpr std::size_t kKilledOneIn = 10;

struct Cost {
  double wall_seconds = 0, cpu_seconds = 0;
};

// Of all processes that have ended and been waited for, by this one or by those that it waited for.
double cpu_seconds_of_children() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class Timer {
 public:
  [[nodiscard]] Cost cost() const {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {  // tasks' keepers, whose parents have left them to us
    }
    return {std::chrono::duration<double>(Clock::now() - begin_).count(), cpu_seconds_of_children() - cpu_};
  }

 private:
  Clock::time_point begin_ = Clock::now();
  double cpu_ = cpu_seconds_of_children();
};

Digests digests_of(const fs::path& file) {
  Digests digests;
  auto reader = must(RunReader::open(file));
  const auto read = reader.for_each(RunReader::Detail::costs, [&](const Trial& trial) -> Result<> {
    digests[trial.index] = trial.error.empty() ? trial.digest : "failed: " + trial.error;
    return {};
  });
  if (!read) quit(read.error().text());
  return digests;
}

std::size_t count_shares(const fs::path& sweep) {
  std::size_t there = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(sweep / "shards", ignored))
    there += entry.path().filename().string().starts_with(".") ? 0U : 1U;
  return there;
}

class Bench {
 public:
  Bench(fs::path folder, std::size_t tasks) : folder_(std::move(folder)), tasks_(tasks) {
    ::setenv("TMPDIR", folder_.c_str(), 1);
  }

  // `single` makes single.vtax; `begin_sweep` begins swept.slurm, for swept.vtax, and waits.
  int compare(const std::function<Cost()>& single, const std::function<ProgramResult()>& begin_sweep) {
    fmt::print("{} tasks on {} CPUs\n", tasks_, kCpus);
    const Cost alone = single();
    print("one process", alone);
    const Digests expected = digests_of(folder_ / "single.vtax");
    const Timer timer;
    {
      const OwnFolder own;
      OneMachineSlurm slurm(own.path, kCpus);
      if (!slurm.missing().empty()) quit(slurm.missing());
      ::setenv("SLURM_CONF", slurm.environment().substr(slurm.environment().find('=') + 1).c_str(), 1);
      disturbed(slurm, begin_sweep);
      print(fmt::format("array, {} tasks killed", killed_.size()), timer.cost());
      resumed();
    }
    const Cost array = timer.cost();
    print("array and what was submitted again", array);
    const double more = array.cpu_seconds - alone.cpu_seconds;
    fmt::print("CPU time beside one process: {:+.1f} s ({:+.1f} %), {:+.3f} s a task\n", more,
               100 * more / alone.cpu_seconds, more / static_cast<double>(tasks_));
    return judge(expected);
  }

  [[nodiscard]] const fs::path& folder() const { return folder_; }
  [[nodiscard]] std::size_t tasks() const { return tasks_; }

  ProgramResult run(const std::string& arguments, const std::string& out) const {
    return must_run(fmt::format("{} run {} --out {}", VTAX_BINARY, arguments, out));
  }
  [[nodiscard]] ProgramResult in_folder(const std::string& command) const {
    return run_program(fmt::format("cd {} && {}", folder_.string(), command));
  }
  ProgramResult must_run(const std::string& command) const {
    auto done = in_folder(command);
    if (done.code != 0) quit(command + ": " + done.err);
    return done;
  }

  static void print(const std::string& what, const Cost& cost) {
    fmt::print("{:<40} {:8.0f} s, {:8.1f} s of CPU\n", what, cost.wall_seconds, cost.cpu_seconds);
    std::fflush(stdout);
  }

 private:
  // Kills tasks while they run, each after another part of the shares, and restarts the node's daemon.
  void disturbed(OneMachineSlurm& slurm, const std::function<ProgramResult()>& begin_sweep) {
    std::atomic<bool> has_ended = false;
    ProgramResult first;
    std::thread sweep([&] {
      first = begin_sweep();
      has_ended = true;
    });
    const std::size_t to_kill = std::max<std::size_t>(1, tasks_ / kKilledOneIn);
    bool was_restarted = false;
    while (!has_ended) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      const std::size_t there = count_shares(sweep_folder());
      if (!was_restarted && 2 * there >= tasks_) {
        slurm.restart_node();
        was_restarted = true;
        fmt::print("the node's daemon restarted when {} shares were there\n", there);
      }
      if (killed_.size() < to_kill && there >= (killed_.size() + 1) * tasks_ / (to_kill + 2)) kill_one();
    }
    sweep.join();
    fmt::print("the first array ended with code {}, {} of {} shares there: {}\n", first.code,
               count_shares(sweep_folder()), tasks_, last_lines_of(first.err));
  }

  void kill_one() {
    const auto running = run_program("squeue --noheader --array --states=RUNNING --format='%F_%K'");
    std::vector<std::string> tasks;
    for (std::size_t at = 0; at < running.out.size();) {
      const std::size_t end = std::min(running.out.find('\n', at), running.out.size());
      const std::string task = running.out.substr(at, end - at);
      if (task.find("N/A") == std::string::npos) tasks.push_back(task);
      at = end + 1;
    }
    if (tasks.empty()) return;
    if (run_program("scancel --signal=KILL --full " + tasks.back()).code == 0)
      killed_.push_back(tasks.back());
  }

  void resumed() {
    const auto second = in_folder(fmt::format("{} run --resume swept.slurm", VTAX_BINARY));
    fmt::print("--resume ended with code {}: {}\n", second.code, last_lines_of(second.err));
  }

  int judge(const Digests& expected) const {
    const fs::path merged = folder_ / "swept.vtax";
    if (!fs::exists(merged)) quit("nothing was merged: " + last_log());
    const Digests counted = digests_of(merged);
    fmt::print("{} trials of {}, digests {}\n", counted.size(), expected.size(),
               counted == expected ? "equal" : "DIFFER");
    return counted == expected ? 0 : 1;
  }

  [[nodiscard]] std::string last_log() const {
    std::ifstream log(sweep_folder() / "merge.log");
    return {std::istreambuf_iterator<char>(log), {}};
  }
  static std::string last_lines_of(const std::string& text) {
    return text.size() > 400 ? "..." + text.substr(text.size() - 400) : text;
  }
  [[nodiscard]] fs::path sweep_folder() const { return folder_ / "swept.slurm"; }

  fs::path folder_;
  std::size_t tasks_;
  std::vector<std::string> killed_;
};

void write_loops(const fs::path& file, std::size_t cells) {
  std::ofstream out(file);
  out << "name = \"loops\"\nquestion = \"What does a loop cost?\"\nrepetitions = 1\n"
         "[factors]\nplatform = \"native\"\n[[workload]]\nname = \"cpu-loop\"\niterations = [\n";
  for (std::size_t i = 0; i < cells; ++i) out << "  " << 1000 + 10 * i << ",\n";
  out << "]\n";
}

int measured(Bench& bench, std::size_t cells) {
  write_loops(bench.folder() / "loops.toml", cells);
  // Images and machines are made before the clock runs.
  bench.run("loops.toml --shard 0/" + std::to_string(cells), "first.vtax");
  return bench.compare(
      [&] {
        const Timer timer;
        bench.run(fmt::format("loops.toml --jobs {}", kCpus), "single.vtax");
        return timer.cost();
      },
      [&] {
        return bench.in_folder(fmt::format("{} run loops.toml --engine slurm --tasks {} --out swept.vtax",
                                           VTAX_BINARY, bench.tasks()));
      });
}

// Stands where the tasks look for vtax: shares are made up, the merge is vtax's own.
void write_stand_in(const fs::path& file, std::size_t trials) {
  std::ofstream(file) << fmt::format(R"(#!/bin/sh
[ "$1" = run ] || exec {} "$@"
while [ $# -gt 0 ]; do
  case $1 in --shard) share=$2;; --out) out=$2;; esac
  shift
done
exec {} "$out" {} cells "$share"
)",
                                     VTAX_BINARY, MAKE_SYNTHETIC_RUN, trials);
  fs::permissions(file, fs::perms::owner_all);
}

int made_up(Bench& bench, std::size_t trials) {
  const fs::path stand_in = bench.folder() / "vtax";
  write_stand_in(stand_in, trials);
  const int code = bench.compare(
      [&] {
        const Timer timer;
        bench.must_run(fmt::format("{} single.vtax {} cells", MAKE_SYNTHETIC_RUN, trials));
        return timer.cost();
      },
      [&] {
        const auto folder =
            must(cluster::PlanFolder::create(bench.folder() / "swept.slurm", {"made-up",
                                                                              "# made up\n",
                                                                              {},
                                                                              bench.tasks(),
                                                                              trials,
                                                                              1,
                                                                              "",
                                                                              {},
                                                                              bench.folder() / "swept.vtax",
                                                                              stand_in}));
        // What begins it is what goes on with it.
        return bench.in_folder(fmt::format("{} run --resume swept.slurm", VTAX_BINARY));
      });
  const Timer timer;
  bench.must_run(fmt::format("{} merge swept.slurm/shards/*.vtax --out again.vtax", VTAX_BINARY));
  Bench::print(fmt::format("merging {} files alone", bench.tasks()), timer.cost());
  fmt::print("plan.json: {} bytes\n", fs::file_size(bench.folder() / "swept.slurm" / "plan.json"));
  return code;
}

}  // namespace
}  // namespace vtax

int main(int argc, char** argv) {
  const std::string kind = argc > 1 ? argv[1] : "";
  const auto number = [&](int at, std::size_t otherwise) {
    return argc > at ? std::stoull(argv[at]) : otherwise;
  };
  if (kind != "measured" && kind != "made-up")
    vtax::quit("cluster_killed measured [CELLS [TASKS]] | made-up [TRIALS [TASKS]]");
  // Slurm's keepers of tasks leave their parents; so their time is counted here.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const vtax::OwnFolder own;
  if (kind == "measured") {
    const std::size_t cells = number(2, 400);
    vtax::Bench bench(own.path, number(3, std::max<std::size_t>(1, cells / 10)));
    return vtax::measured(bench, cells);
  }
  vtax::Bench bench(own.path, number(3, 1000));
  return vtax::made_up(bench, number(2, 10'000));
}
