#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "cluster/plan_folder.h"
#include "cluster/slurm.h"
#include "cluster/sweep.h"
#include "core/files.h"
#include "core/subprocess.h"
#include "record/run_writer.h"
#include "record/testing/synthetic_run.h"

namespace vtax::cluster {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class Sweep : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/vtax-sweep-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] SweepPlan plan() const {
    return {"it's",
            "name = \"it's\"\n",
            {"--set", "platform=native", "a 'b'"},
            3,
            9,
            2,
            "",
            {},
            folder_ / "out.vtax",
            "/bin/echo"};
  }

  fs::path folder_;
};

TEST(Slurm, ArraysAreRanges) {
  EXPECT_EQ(array_text({0, 1, 2, 3}), "0-3");
  EXPECT_EQ(array_text({7}), "7");
  EXPECT_EQ(array_text({0, 2, 3, 9, 10, 11}), "0,2-3,9-11");
}

TEST(Slurm, TasksArePackedWithinTheArraysLimit) {
  EXPECT_EQ(shares_of(60, 0, 1001), 10U);
  EXPECT_EQ(shares_of(60, 25, 1001), 25U);
  EXPECT_EQ(shares_of(60, 100, 1001), 60U);  // no empty ones
  EXPECT_EQ(shares_of(10'000, 0, 1001), 1001U);
  EXPECT_EQ(shares_of(10'000, 5'000, 1001), 1001U);
  EXPECT_EQ(shares_of(1, 0, 1001), 1U);
}

TEST_F(Sweep, PlanIsReadBackAndNeverWrittenAgain) {
  const auto made = PlanFolder::create(folder_ / "s", plan());
  ASSERT_TRUE(made) << made.error().text();
  const auto read = PlanFolder::open(folder_ / "s");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->plan(), plan());
  EXPECT_FALSE(PlanFolder::create(folder_ / "s", plan()));
  EXPECT_EQ(fs::status(folder_ / "s" / "plan.json").permissions() & fs::perms::owner_write, fs::perms::none);
  fs::remove(folder_ / "s" / "plan.json");
  ASSERT_TRUE(write_text(folder_ / "s" / "plan.json", "{\"schema\": 1}"));
  EXPECT_THAT(PlanFolder::open(folder_ / "s").error().text(), HasSubstr("damaged"));
}

TEST_F(Sweep, MissingIsWhatIsAbsentDamagedOrFailed) {
  auto made = PlanFolder::create(folder_ / "s", plan());
  ASSERT_TRUE(made);
  EXPECT_THAT(made->missing(), ElementsAre(0, 1, 2));
  const auto put = [&](int number, bool has_failed) {
    const fs::path file = folder_ / "s" / "shards" / (std::to_string(number) + ".vtax");
    fs::remove(file);
    vtax::Run run = synthetic_run();
    if (has_failed) make_failed(run.trials[0], "the guest hung");
    auto writer = RunWriter::create(file, run);
    ASSERT_TRUE(writer);
    ASSERT_TRUE(writer->append(run.trials[0]));
  };
  put(0, false);
  put(1, true);
  ASSERT_TRUE(write_text(folder_ / "s" / "shards" / "2.vtax", "half a file"));
  EXPECT_THAT(made->missing(), ElementsAre(1, 2));
  EXPECT_EQ(made->count_there(), 3U);
}

// A task that is killed before its run file is whole leaves none.
TEST_F(Sweep, TasksFileIsThereWholeOrNotAtAll) {
  SweepPlan killed = plan();
  killed.vtax = folder_ / "program";
  const auto run_task = [&](const std::string& program) {
    fs::remove_all(folder_ / "s");
    EXPECT_TRUE(PlanFolder::create(folder_ / "s", killed));
    EXPECT_TRUE(write_text(killed.vtax, "#!/bin/sh\n" + program));
    fs::permissions(killed.vtax, fs::perms::owner_all);
    const auto done =
        run_command({{"sh", (folder_ / "s" / "task.sh").string()},
                     {"SLURM_ARRAY_TASK_ID=1", "SLURM_JOB_ID=7", "TMPDIR=" + folder_.string()}});
    return done ? done->exit_code : -1;
  };
  const std::string write =
      "for last; do case $before in --out) out=$last;; esac; before=$last; done; echo half >\"$out\"\n";
  const fs::path file = folder_ / "s" / "shards" / "1.vtax";
  EXPECT_EQ(run_task(write + "kill -9 $$"), 137);
  EXPECT_FALSE(fs::exists(file));
  EXPECT_EQ(run_task(write + "exit 5"), 5);
  EXPECT_FALSE(fs::exists(file));
  EXPECT_EQ(run_task(write + "exit 4"), 4);
  EXPECT_TRUE(fs::exists(file));
  EXPECT_EQ(run_task(write), 0);
  EXPECT_TRUE(fs::exists(file));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "s" / "shards"), {}), 1);
}

// Slurm ends tasks by SIGTERM, and only those that do not obey by SIGKILL.
TEST_F(Sweep, TaskThatIsToldToEndLeavesNothing) {
  SweepPlan ended = plan();
  ended.vtax = folder_ / "program";
  ASSERT_TRUE(PlanFolder::create(folder_ / "s", ended));
  ASSERT_TRUE(write_text(ended.vtax, "#!/bin/sh\nkill -TERM $PPID\nsleep 0.2\nexit 130\n"));
  fs::permissions(ended.vtax, fs::perms::owner_all);
  fs::create_directories(folder_ / "tmp");
  const auto done = run_command({{"sh", (folder_ / "s" / "task.sh").string()},
                                 {"SLURM_ARRAY_TASK_ID=1", "TMPDIR=" + (folder_ / "tmp").string()}});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->exit_code, 143);
  EXPECT_TRUE(fs::is_empty(folder_ / "tmp"));
  EXPECT_TRUE(fs::is_empty(folder_ / "s" / "shards"));
}

TEST_F(Sweep, JobsAreKeptAndAnEarlierMergeForgotten) {
  auto made = PlanFolder::create(folder_ / "s", plan());
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->jobs().empty());
  ASSERT_TRUE(write_text(folder_ / "s" / "merge.code", "4\n"));
  EXPECT_EQ(made->merge_code(), 4);
  ASSERT_TRUE(made->set_jobs({"12", "13"}));
  EXPECT_THAT(made->jobs(), ElementsAre("12", "13"));
  EXPECT_FALSE(made->merge_code());
}

}  // namespace
}  // namespace vtax::cluster
