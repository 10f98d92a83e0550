#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include "record/testing/run_file_fixture.h"

namespace vtax {
namespace {

using testing::HasSubstr;

TEST_F(RunFile, GivesBackWhatWasWritten) {
  const vtax::Run written = synthetic_run();
  write(written);
  auto reader = RunReader::open(file_);
  ASSERT_TRUE(reader) << reader.error().text();
  const auto read = reader->all();
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->study, written.study);
  EXPECT_EQ(read->settings, written.settings);
  EXPECT_EQ(read->planned_trials, 60U);
  ASSERT_EQ(read->trials.size(), written.trials.size());
  for (std::size_t i = 0; i < written.trials.size(); ++i) expect_equal(read->trials[i], written.trials[i]);
  EXPECT_FALSE(std::filesystem::exists(file_.string() + "-wal"));
}

TEST_F(RunFile, CanBeReadWhileItIsWritten) {
  auto writer = RunWriter::create(file_, synthetic_header());
  const vtax::Run run = synthetic_run();
  ASSERT_TRUE(writer->append(run.trials[0]));
  auto reader = RunReader::open(file_);
  ASSERT_TRUE(reader) << reader.error().text();
  ASSERT_TRUE(writer->append(run.trials[1]));
  EXPECT_EQ(reader->all()->trials.size(), 1U);  // as it was when it was opened
  EXPECT_EQ(RunReader::open(file_)->all()->trials.size(), 2U);
}

TEST_F(RunFile, AnExistingFileIsNotOverwritten) {
  write(synthetic_header());
  EXPECT_THAT(RunWriter::create(file_, synthetic_header()).error().text(),
              HasSubstr("exists already\n  go on with it by --resume"));
}

TEST_F(RunFile, AFolderIsNoFile) {
  std::filesystem::create_directory(file_);
  EXPECT_THAT(RunWriter::create(file_, synthetic_header()).error().text(),
              HasSubstr("it is a folder\n  name a file in it: --out " + file_.string() + "/run.vtax"));
}

TEST_F(RunFile, ASecondWriterIsKeptOut) {
  auto first = RunWriter::create(file_, synthetic_header());
  ASSERT_TRUE(first);
  EXPECT_THAT(RunWriter::resume(file_, synthetic_header()).error().text(),
              HasSubstr("another vtax is writing it"));
  first->close();
}

TEST_F(RunFile, ResumeKnowsWhatIsFinishedAndRepeatsWhatFailed) {
  vtax::Run run = synthetic_run();
  {
    auto writer = RunWriter::create(file_, run);
    Trial failed = run.trials[1];
    make_failed(failed, "the guest hung\x1b\xff");
    ASSERT_TRUE(writer->append(run.trials[0]));
    ASSERT_TRUE(writer->append(failed));
  }
  EXPECT_EQ(RunReader::open(file_)->all()->trials[1].error, "the guest hung??");
  auto writer = RunWriter::resume(file_, run);
  ASSERT_TRUE(writer) << writer.error().text();
  EXPECT_THAT(writer->finished(), testing::ElementsAre(0U));
  EXPECT_THAT(writer->append(run.trials[0]).error().text(), HasSubstr("it holds trial 1 already"));
  ASSERT_TRUE(writer->append(run.trials[1]));
  ASSERT_TRUE(writer->append(run.trials[25]));
  writer->close();
  const auto read = RunReader::open(file_)->all();
  ASSERT_EQ(read->trials.size(), 3U);
  expect_equal(read->trials[1], run.trials[1]);
  expect_equal(read->trials[2], run.trials[25]);
}

TEST_F(RunFile, ResumeCreatesAMissingOrEmptyFile) {
  { ASSERT_TRUE(RunWriter::resume(file_, synthetic_header())); }
  EXPECT_EQ(reading_error(), "no error");
  std::filesystem::resize_file(file_, 0);
  EXPECT_THAT(reading_error(), HasSubstr("it is empty"));
  { ASSERT_TRUE(RunWriter::resume(file_, synthetic_header())); }
  EXPECT_EQ(reading_error(), "no error");
}

TEST_F(RunFile, ResumeRefusesAnotherRunAndSaysWhatDiffers) {
  write(synthetic_header());
  vtax::Run other = synthetic_header();
  other.settings = R"({"machine": "lab", "repetitions": 2, "factors": {"offloads": ["on"]}})";
  other.planned_trials = 30;
  EXPECT_THAT(
      RunWriter::resume(file_, other).error().text(),
      HasSubstr("it holds another run; /factors/offloads/1: the file has \"off\", this run nothing; "
                "/repetitions: the file has 1, this run 2; number of trials: the file has 60, this run 30"));
  other = synthetic_header();
  other.vtax_version = "9";
  EXPECT_THAT(RunWriter::resume(file_, other).error().text(),
              HasSubstr("vtax's version: the file has 0.1.0, this run 9"));
}

TEST_F(RunFile, ResumePassesOverWhatAPaperSays) {
  vtax::Run run = synthetic_header();
  run.settings = R"({"machine": "lab", "published": "one", "asked_for": {"set": ["bytes=1MiB"]}})";
  write(run);
  vtax::Run other = run;
  other.settings = R"({"machine": "lab", "published": "another", "asked_for": {"set": ["bytes=1024KiB"]}})";
  EXPECT_TRUE(RunWriter::resume(file_, other));
}

TEST_F(RunFile, ResumeGoesByContentAndNotByPath) {
  const std::string one = R"({"own kernel": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "qemu": "10"})";
  vtax::Run run = synthetic_header();
  run.settings = R"({"machine": "lab", "kernel": "./k"})";
  {
    auto writer = RunWriter::create(file_, run);
    ASSERT_TRUE(writer);
    ASSERT_TRUE(writer->be_made_from(one));
    ASSERT_TRUE(writer->append(synthetic_run().trials[0]));
  }
  run.settings = R"({"machine": "lab", "kernel": "/elsewhere/k"})";
  {
    auto writer = RunWriter::resume(file_, run);
    ASSERT_TRUE(writer) << writer.error().text();
    EXPECT_TRUE(writer->be_made_from(one));
  }
  auto writer = RunWriter::resume(file_, run);
  const auto made = writer->be_made_from(
      R"({"own kernel": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "qemu": "11", "packages": {"x": "1"}})");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ExitCode::usage);
  EXPECT_THAT(made.error().text(),
              HasSubstr("it was made from something else; own kernel: the file has \"aaaaaaaaaaaa...\", this "
                        "run \"bbbbbbbbbbbb...\"; packages: x: the file has nothing, this run \"1\"; qemu: "
                        "the file has \"10\", this run \"11\""));
}

TEST_F(RunFile, WhatItIsMadeFromIsSealed) {
  {
    auto writer = RunWriter::create(file_, synthetic_header());
    ASSERT_TRUE(writer->be_made_from(R"({"qemu": "10"})"));
    ASSERT_TRUE(writer->append(synthetic_run().trials[0]));
  }
  EXPECT_EQ(reading_error(), "no error");
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(file_.c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, "UPDATE run SET settings = replace(settings, '\"10\"', '\"11\"')", nullptr,
                         nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(database);
  EXPECT_THAT(reading_error(), HasSubstr("damaged"));
}

TEST_F(RunFile, TrialsOfWhichNobodyKnowsWhatTheyWereMadeFromAreNotGoneOnWith) {
  {
    auto writer = RunWriter::create(file_, synthetic_header());
    ASSERT_TRUE(writer->append(synthetic_run().trials[0]));
  }
  auto writer = RunWriter::resume(file_, synthetic_header());
  ASSERT_TRUE(writer);
  EXPECT_THAT(writer->be_made_from("{}").error().text(), HasSubstr("an older vtax began it"));
}

TEST_F(RunFile, PlacesThatCannotBeWritten) {
  EXPECT_THAT(RunWriter::create("/nowhere/r.vtax", synthetic_header()).error().text(),
              HasSubstr("No such file"));
  EXPECT_THAT(RunWriter::create("/proc/r.vtax", synthetic_header()).error().code, ExitCode::io);
  EXPECT_THAT(RunWriter::resume("/", synthetic_header()).error().text(), HasSubstr("it is a directory"));
}

// The kernel refuses to let the file grow, as a full disk does.
TEST_F(RunFile, AFullDiskKeepsTheFinishedTrials) {
  const vtax::Run run = synthetic_run();
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    auto writer = RunWriter::create(file_, run);
    if (!writer || !writer->append(run.trials[0])) ::_exit(1);
    const rlimit limit{100'000, 100'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    for (std::size_t i = 1; i < run.trials.size(); ++i) {
      const auto done = writer->append(run.trials[i]);
      if (!done) ::_exit(done.error().code == ExitCode::io && !done.error().why.empty() ? 0 : 2);
    }
    ::_exit(3);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  auto writer = RunWriter::resume(file_, run);
  ASSERT_TRUE(writer) << writer.error().text();
  EXPECT_GE(writer->finished().size(), 1U);
  EXPECT_LT(writer->finished().size(), run.trials.size());
  for (const Trial& trial : run.trials) {
    if (writer->finished().count(trial.index) == 0) {
      EXPECT_TRUE(writer->append(trial));
    }
  }
  writer->close();
  EXPECT_EQ(RunReader::open(file_)->all()->trials.size(), run.trials.size());
}

TEST_F(RunFile, KilledAtAnyMomentItKeepsWhatWasFinished) {
  const vtax::Run run = synthetic_run();
  std::minstd_rand random(1);
  std::size_t before = 0;
  for (int round = 0; round < 40 && before < run.trials.size(); ++round) {
    int finished[2];
    ASSERT_EQ(::pipe(finished), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      auto writer = RunWriter::resume(file_, run);
      if (!writer) ::_exit(1);
      for (const Trial& trial : run.trials) {
        if (writer->finished().count(trial.index) != 0) continue;
        if (!writer->append(trial)) ::_exit(2);
        if (::write(finished[1], "x", 1) != 1) ::_exit(3);
      }
      ::pause();
      ::_exit(4);
    }
    // Longer until the first is finished: on a busy computer it takes its time.
    const auto most_us = before == 0 ? 20'000U * static_cast<unsigned>(round + 1) : 20'000U;
    ::usleep(static_cast<useconds_t>(random() % most_us));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer failed: " << WEXITSTATUS(status);
    ::close(finished[1]);
    std::string told(100, '\0');
    const ssize_t count = ::read(finished[0], told.data(), told.size());
    ::close(finished[0]);
    if (!std::filesystem::exists(file_) || reading_error().find("it is empty") != std::string::npos) continue;
    auto reader = RunReader::open(file_);
    ASSERT_TRUE(reader) << reader.error().text();
    const auto read = reader->all();
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_GE(read->trials.size(), before + static_cast<std::size_t>(count));
    EXPECT_LE(read->trials.size(), before + static_cast<std::size_t>(count) + 1);
    before = read->trials.size();
  }
  EXPECT_GT(before, 0U);
}

}  // namespace
}  // namespace vtax
