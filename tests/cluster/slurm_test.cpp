// `vtax run --engine slurm` and `vtax run --shard` on the lab's machines: however the work is shared out and
// whatever is killed, the merged run counts what a single process counts.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/subprocess.h"
#include "tests/cluster/one_machine_slurm.h"
#include "tests/program.h"
#include "tests/run/own_cache_test.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using Clock = std::chrono::steady_clock;

// VTAX_TEST_CELLS=400: the figures of docs/benchmarks.md.
std::size_t cells_of_test() {
  const char* const text = std::getenv("VTAX_TEST_CELLS");
  return text == nullptr ? 8 : std::stoul(text);
}

class Shares : public OwnCacheTest {
 protected:
  // A study of cheap cells.
  void write_study(std::size_t cells) const {
    std::string sizes;
    for (std::size_t i = 0; i < cells; ++i) sizes += fmt::format("{}{}", i == 0 ? "" : ", ", 1000 + 10 * i);
    std::ofstream(folder_.path() / "loops.toml")
        << "name = \"loops\"\nquestion = \"What does a loop cost?\"\n"
           "repetitions = 1\n[factors]\nplatform = \"native\"\n"
           "[[workload]]\nname = \"cpu-loop\"\niterations = ["
        << sizes << "]\n";
  }

  [[nodiscard]] ProgramResult vtax(const std::string& arguments, const std::string& more = "") const {
    return run_program(fmt::format("cd {} && VTAX_CACHE={} {} {} {}", folder_.path().string(),
                                   cache_->path().string(), more, VTAX_PROGRAM, arguments));
  }

  [[nodiscard]] std::string digest(const std::string& run) const {
    const auto report = vtax("report " + run + " --format json");
    EXPECT_EQ(report.code, 0) << report.err;
    const auto json = nlohmann::json::parse(report.out, nullptr, false);
    return json.is_object() ? json.value("digest", "") : "";
  }

  // By a single process.
  [[nodiscard]] std::string expected() const {
    const auto run = vtax("run loops.toml --jobs 2 --out single.vtax");
    EXPECT_EQ(run.code, 0) << run.err;
    return digest("single.vtax");
  }

  lab::Folder folder_;
};

TEST_F(Shares, MergedCountWhatOneProcessCounts) {
  write_study(4);
  for (const char* share : {"0/3", "1/3", "2/3"}) {
    const auto run = vtax(fmt::format("run loops.toml --shard {}", share));
    ASSERT_EQ(run.code, 0) << run.err;
  }
  EXPECT_EQ(vtax("merge loops.shard-0-of-3.vtax loops.shard-2-of-3.vtax --out merged.vtax").code, 4);
  const auto merged = vtax("merge loops.shard-*.vtax --out merged.vtax");
  ASSERT_EQ(merged.code, 0) << merged.err;
  EXPECT_THAT(merged.out, HasSubstr(expected()));
  EXPECT_EQ(digest("merged.vtax"), digest("single.vtax"));
  // A single process goes on with what two shares have left.
  ASSERT_EQ(vtax("merge loops.shard-0-of-3.vtax loops.shard-2-of-3.vtax --partial --out part.vtax").code, 0);
  const auto resumed = vtax("run --resume part.vtax");
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("3 of 4 trials are in part.vtax already"));
  EXPECT_EQ(digest("part.vtax"), digest("single.vtax"));
}

TEST_F(Shares, OfASlurmArrayCountTheSameAlthoughTasksAreKilled) {
  const lab::Folder own;
  OneMachineSlurm slurm(own.path(), 2);
  if (!slurm.missing().empty()) GTEST_SKIP() << slurm.missing();
  const std::size_t cells = cells_of_test();
  write_study(cells);
  const auto begin = Clock::now();
  const std::string single = expected();
  const std::chrono::duration<double> one_process = Clock::now() - begin;
  const std::size_t tasks = std::max<std::size_t>(4, cells / 4),
                    killed = std::max<std::size_t>(1, tasks / 10);

  ProgramResult first;
  const auto array_begin = Clock::now();
  std::thread sweep([&] {
    first = vtax(fmt::format("run loops.toml --engine slurm --tasks {} --out swept.vtax", tasks),
                 slurm.environment());
  });
  // When the first share is there, the last ones are killed, and the node's daemon restarts.
  const fs::path shards = folder_.path() / "swept.slurm" / "shards";
  std::error_code ignored;
  while ((!fs::exists(shards, ignored) || fs::is_empty(shards, ignored)) &&
         Clock::now() - array_begin < std::chrono::minutes(4))
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  for (std::size_t i = tasks - killed; i < tasks; ++i) {
    const std::string task = fmt::format("1_{}", i);
    // Whether it runs or waits.
    const auto signalled = run_command({{"scancel", "--signal=KILL", "--full", task}, {slurm.environment()}});
    const auto cancelled = run_command({{"scancel", task}, {slurm.environment()}});
    EXPECT_TRUE((signalled && signalled->ok()) || (cancelled && cancelled->ok())) << task;
  }
  slurm.restart_node();
  sweep.join();
  EXPECT_EQ(first.code, 4) << first.err;
  EXPECT_THAT(first.err, HasSubstr("trials are missing"));
  EXPECT_THAT(first.err, HasSubstr("vtax run --resume"));
  EXPECT_FALSE(fs::exists(folder_.path() / "swept.vtax"));
  const auto there = static_cast<std::size_t>(std::distance(fs::directory_iterator(shards), {}));
  EXPECT_GT(there, 0U);
  EXPECT_LE(there, tasks - killed);

  const auto second = vtax("run --resume swept.slurm", slurm.environment());
  const std::chrono::duration<double> array = Clock::now() - array_begin;
  ASSERT_EQ(second.code, 0) << second.err;
  // What is there is not run again, whatever else the restart has cost.
  EXPECT_THAT(second.err, HasSubstr(fmt::format("{} of {} shares are submitted", tasks - there, tasks)));
  EXPECT_EQ(digest("swept.vtax"), single);
  std::cout << fmt::format(
      "{} cells: one process, 2 machines at once, {:.0f} s; {} tasks, {} killed, {:.0f} s\n", cells,
      one_process.count(), tasks, killed, array.count());
  // What is whole is not run again.
  const auto third = vtax("run --resume swept.slurm", slurm.environment());
  EXPECT_EQ(third.code, 0) << third.err;
  EXPECT_EQ(third.err.find("are submitted"), std::string::npos) << third.err;
}

}  // namespace
}  // namespace vtax
