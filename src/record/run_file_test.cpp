#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <limits>
#include <map>
#include <random>

#include "record/testing/run_file_fixture.h"
#include "record/trial_check.h"

namespace vtax {
namespace {

using testing::HasSubstr;

void expect_equal(const Trial& a, const Trial& b) {
  EXPECT_EQ(a.index, b.index);
  EXPECT_EQ(a.factors, b.factors);
  EXPECT_EQ(a.repetition, b.repetition);
  EXPECT_EQ(a.error, b.error);
  EXPECT_EQ(a.digest, b.digest);
  EXPECT_EQ(a.work.packets, b.work.packets);
  EXPECT_EQ(a.work.bytes, b.work.bytes);
  EXPECT_EQ(a.work.transactions, b.work.transactions);
  EXPECT_EQ(a.guests, b.guests);
  EXPECT_EQ(a.timeline, b.timeline);
  EXPECT_EQ(a.schedule, b.schedule);
  EXPECT_EQ(a.ledger, b.ledger);
  EXPECT_EQ(a.functions, b.functions);
  EXPECT_EQ(a.machine_total, b.machine_total);
  EXPECT_EQ(a.peer_total, b.peer_total);
  EXPECT_EQ(a.window_virtual_ns, b.window_virtual_ns);
  EXPECT_EQ(a.elapsed_host_ns, b.elapsed_host_ns);
  EXPECT_EQ(a.provenance, b.provenance);
  ASSERT_EQ(a.devices.size(), b.devices.size());
  for (std::size_t i = 0; i < a.devices.size(); ++i) {
    EXPECT_EQ(a.devices[i].device, b.devices[i].device);
    EXPECT_EQ(a.devices[i].sent_bytes, b.devices[i].sent_bytes);
  }
}

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

TEST_F(RunFile, ATrialThatDoesNotBalanceIsRefused) {
  auto writer = RunWriter::create(file_, synthetic_header());
  Trial trial = synthetic_run().trials[0];
  trial.ledger[0].value += 1;
  EXPECT_THAT(writer->append(trial).error().text(), HasSubstr("but the machine executed"));
  trial = synthetic_run().trials[0];
  trial.functions[0].instructions += Instructions(1);
  EXPECT_THAT(writer->append(trial).error().text(), HasSubstr("its profile adds up to"));
  trial = synthetic_run().trials[0];
  trial.ledger.push_back({0, "host", Layer::kernel, Part::none, "interrupts", ~0ULL});
  EXPECT_THAT(writer->append(trial).error().text(), HasSubstr("out of range"));
  EXPECT_TRUE(writer->append(synthetic_run().trials[0]));
}

TEST_F(RunFile, KeepsWhatWasExecutedOnNobodyKnowsWhichCpu) {
  vtax::Run written = three_trials();
  Trial& trial = written.trials[0];
  add_uncharged(trial, Instructions(3));
  trial.timeline = two_slices_of(trial);
  write(written);
  auto reader = RunReader::open(file_);
  ASSERT_TRUE(reader) << reader.error().text();
  const auto read = reader->all();
  ASSERT_TRUE(read) << read.error().text();
  expect_equal(read->trials[0], trial);
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

TEST_F(RunFile, KeepsTheWorkOfEachGuest) {
  vtax::Run written = three_trials();
  written.trials[1].guests = {{"guest1", Bytes(100), Transactions(0), 7},
                              {"guest2", Bytes(50), Transactions(3), 8}};
  write(written);
  auto reader = RunReader::open(file_);
  ASSERT_TRUE(reader) << reader.error().text();
  const auto read = reader->all();
  ASSERT_TRUE(read) << read.error().text();
  ASSERT_EQ(read->trials.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) expect_equal(read->trials[i], written.trials[i]);
}

// One slice a third of the ledger, the other the rest.
TEST_F(RunFile, KeepsTheTimeline) {
  vtax::Run written = three_trials();
  written.trials[1].guests = {{"guest1", Bytes(100), Transactions(0), 7}};
  written.trials[1].timeline = two_slices_of(written.trials[1]);
  write(written);
  auto reader = RunReader::open(file_);
  ASSERT_TRUE(reader) << reader.error().text();
  const auto read = reader->all();
  ASSERT_TRUE(read) << read.error().text();
  for (std::size_t i = 0; i < 3; ++i) expect_equal(read->trials[i], written.trials[i]);
}

TEST_F(RunFile, ATimelineThatDoesNotAddUpIsRefused) {
  vtax::Run run = three_trials();
  Trial& trial = run.trials[1];
  trial.guests = {{"guest1", Bytes(100), Transactions(0), 7}};
  const Timeline good = two_slices_of(trial);
  trial.timeline = good;
  ASSERT_TRUE(check(trial));
  trial.timeline.rows[0].cost[1] += 1;
  EXPECT_FALSE(check(trial));
  trial.timeline = good;
  trial.timeline.rows.pop_back();
  EXPECT_FALSE(check(trial));
  trial.timeline = good;
  trial.timeline.work[0].bytes = {50, 49};
  EXPECT_FALSE(check(trial));
  trial.timeline = good;
  trial.timeline.end_ns = {30, 10};
  EXPECT_FALSE(check(trial));
}

Schedule two_on_a_cpu() {
  return {{{"guest1", 0}, {"idle", 2}, {"Domain-0", 0}},
          {{0, 2, 0, 40}, {2, 0, 0, 10}, {2, 1, 10, 15}, {2, 0, 15, 40, 12}},
          3};
}

TEST_F(RunFile, KeepsTheSchedule) {
  vtax::Run written = three_trials();
  written.trials[1].schedule = two_on_a_cpu();
  write(written);
  const auto read = RunReader::open(file_)->all();
  ASSERT_TRUE(read) << read.error().text();
  for (std::size_t i = 0; i < 3; ++i) expect_equal(read->trials[i], written.trials[i]);
  sql("UPDATE schedule SET json = replace(json, '[0,2,2,2]', '[0,2,2,3]')");
  EXPECT_FALSE(RunReader::open(file_)->all());
}

TEST_F(RunFile, AScheduleThatContradictsItselfIsRefused) {
  Trial trial = three_trials().trials[0];
  trial.schedule = two_on_a_cpu();
  ASSERT_TRUE(check(trial)) << check(trial).error().text();
  using Change = void (*)(Schedule&);
  for (const Change change : {Change([](Schedule& s) { s.stays[2].begin_ns = 9; }),
                              Change([](Schedule& s) { s.stays[3].end_ns = 15; }),
                              Change([](Schedule& s) { std::swap(s.stays[0], s.stays[3]); }),
                              Change([](Schedule& s) { s.stays[0].vcpu = 3; }),
                              Change([](Schedule& s) { s.stays[3].woke_ns = 41; }),
                              Change([](Schedule& s) { s.vcpus[0].domain = "\xff"; })}) {
    trial.schedule = two_on_a_cpu();
    change(trial.schedule);
    EXPECT_FALSE(check(trial));
  }
}

// As a vtax before the schedule wrote it.
TEST_F(RunFile, AFileOfTheFifthSchemaIsRead) {
  const vtax::Run written = three_trials();
  write(written);
  sql("DROP TABLE schedule; PRAGMA user_version = 5");
  auto reader = RunReader::open(file_);
  ASSERT_TRUE(reader) << reader.error().text();
  const auto read = reader->all();
  ASSERT_TRUE(read) << read.error().text();
  for (std::size_t i = 0; i < 3; ++i) expect_equal(read->trials[i], written.trials[i]);
}

// The host's ledger: a guest's kernel and program, the driver's parts.
Trial trial_of_a_host() {
  Trial trial = three_trials().trials[1];
  trial.ledger = {{0, "host", Layer::driver, Part::kernel, kCpuTimeKind, 500},
                  {0, "host", Layer::driver, Part::program, kCpuTimeKind, 50},
                  {0, "idle", Layer::idle, Part::none, kCpuTimeKind, 450},
                  {1, "guest1", Layer::kernel, Part::none, kCpuTimeKind, 700},
                  {1, "guest1", Layer::program, Part::none, kCpuTimeKind, 290},
                  {1, "guest1", Layer::uncharged, Part::none, kCpuTimeKind, 10}};
  trial.functions.clear();
  trial.machine_total = Instructions(0);
  trial.timeline.in_time = true;
  trial.timeline.end_ns = {400, 1000};
  trial.timeline.rows = {{0, "host", Layer::driver, Part::none, {350, 200}},
                         {0, "idle", Layer::idle, Part::none, {50, 400}},
                         {1, "guest1", Layer::kernel, Part::none, {390, 600}, true},
                         {1, "guest1", Layer::uncharged, Part::none, {10, 0}}};
  trial.timeline.devices = {{"system", "host", "vtaxg0", {1, 2}, {3, 4}, {5, 6}, {7, 8}, {0, 0}}};
  return trial;
}

TEST_F(RunFile, KeepsTheTimelineOfAHost) {
  vtax::Run written = three_trials();
  written.trials = {trial_of_a_host()};
  write(written);
  auto reader = RunReader::open(file_);
  ASSERT_TRUE(reader) << reader.error().text();
  const auto read = reader->all();
  ASSERT_TRUE(read) << read.error().text();
  expect_equal(read->trials.at(0), written.trials[0]);
}

TEST_F(RunFile, ATimelineOfAHostThatDoesNotAddUpIsRefused) {
  const Trial good = trial_of_a_host();
  ASSERT_TRUE(check(good)) << check(good).error().text();
  constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();
  const std::map<std::string, std::function<void(Trial&)>> damages{
      {"a nanosecond more", [](Trial& t) { t.timeline.rows[2].cost[0] += 1; }},
      {"a row less", [](Trial& t) { t.timeline.rows.erase(t.timeline.rows.begin()); }},
      {"a row twice", [](Trial& t) { t.timeline.rows.push_back(t.timeline.rows[1]); }},
      {"a row of nobody",
       [](Trial& t) {
         t.timeline.rows.push_back({7, "x", Layer::idle, Part::none, {1, 1}});
       }},
      {"a guest without its program", [](Trial& t) { t.timeline.rows[2].with_program = false; }},
      {"idle with a program", [](Trial& t) { t.timeline.rows[1].with_program = true; }},
      {"a driver with one part", [](Trial& t) { t.timeline.rows[0].part = Part::kernel; }},
      {"a sum that wraps",
       [](Trial& t) {
         t.timeline.rows[1].cost = {kHuge, 451};
       }},
      {"a slice less", [](Trial& t) { t.timeline.rows[1].cost = {450}; }},
      {"instructions", [](Trial& t) { t.timeline.in_time = false; }},
      {"guests' work",
       [](Trial& t) {
         t.timeline.work = {{"guest9", {1, 1}, {1, 1}}};
       }},
      {"a device's short column", [](Trial& t) { t.timeline.devices[0].sent_bytes = {1}; }},
      {"a device's wrapping column",
       [](Trial& t) {
         t.timeline.devices[0].dropped_packets = {kHuge, 2};
       }},
      {"a device's name", [](Trial& t) { t.timeline.devices[0].device = "\xff"; }},
      {"time goes back", [](Trial& t) {
         t.timeline.end_ns = {1000, 400};
       }}};
  for (const auto& [name, damage] : damages) {
    Trial trial = good;
    damage(trial);
    EXPECT_FALSE(check(trial)) << name;
  }
  // What is uncharged may stand in the guest's row, which then is all of it.
  Trial merged = good;
  merged.timeline.rows.pop_back();
  merged.timeline.rows[2].cost = {400, 600};
  EXPECT_TRUE(check(merged));
}

TEST_F(RunFile, AFileOfTheThirdSchemaIsReadButNotGoneOnWith) {
  vtax::Run written = three_trials();
  written.trials[1].guests = {{"guest1", Bytes(100), Transactions(0), 7}};
  written.trials[1].timeline = two_slices_of(written.trials[1]);
  write(written);
  sql("DROP TABLE call; DROP TABLE seal; DROP TABLE waiting; DROP TABLE busy; DROP TABLE schedule; PRAGMA "
      "user_version = 3");
  auto reader = RunReader::open(file_);
  ASSERT_TRUE(reader) << reader.error().text();
  const auto read = reader->all();
  ASSERT_TRUE(read) << read.error().text();
  for (std::size_t i = 0; i < 3; ++i) expect_equal(read->trials[i], written.trials[i]);
  EXPECT_THAT(RunWriter::resume(file_, written).error().text(), HasSubstr("an older vtax began it"));
}

// As a vtax before calls and seals wrote it.
TEST_F(RunFile, AFileOfTheFourthSchemaIsRead) {
  const vtax::Run written = three_trials();
  write(written);
  sql("DROP TABLE call; DROP TABLE seal; DROP TABLE waiting; DROP TABLE busy; DROP TABLE schedule; PRAGMA "
      "user_version = 4");
  auto reader = RunReader::open(file_);
  ASSERT_TRUE(reader) << reader.error().text();
  const auto read = reader->all();
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->trials.size(), 3U);
}

TEST_F(RunFile, KeepsLatenciesAndBusyTimes) {
  vtax::Run written = three_trials();
  written.trials[0].waiting = {{"guest1", 3, 60, 10, 20, 30, 30, 30, 30}};
  written.trials[0].busy = {{0, "Domain-0", 700}, {2, "guest1", 30}};
  write(written);
  const auto read = RunReader::open(file_)->all();
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->trials[0].waiting, written.trials[0].waiting);
  EXPECT_EQ(read->trials[0].busy, written.trials[0].busy);
  Trial wrong = written.trials[0];
  wrong.waiting[0].p50_ns = 31;
  EXPECT_FALSE(check(wrong));
}

TEST_F(RunFile, KeepsCallsAndThatSomeAreNotKnown) {
  vtax::Run written = three_trials();
  written.trials[0].functions[0].calls = 12;
  written.trials[0].functions[1].calls = 0;
  ASSERT_FALSE(written.trials[0].functions[2].calls);
  write(written);
  const auto read = RunReader::open(file_)->all();
  ASSERT_TRUE(read) << read.error().text();
  expect_equal(read->trials[0], written.trials[0]);
}

// As a vtax before the timeline wrote it.
TEST_F(RunFile, AFileOfTheSecondSchemaIsRead) {
  const vtax::Run written = three_trials();
  write(written);
  sql("DROP TABLE call; DROP TABLE seal; DROP TABLE waiting; DROP TABLE busy; DROP TABLE schedule; DROP "
      "TABLE timeline; PRAGMA "
      "user_version = 2");
  auto reader = RunReader::open(file_);
  ASSERT_TRUE(reader) << reader.error().text();
  const auto read = reader->all();
  ASSERT_TRUE(read) << read.error().text();
  ASSERT_EQ(read->trials.size(), 3U);
}

// As vtax 0.1 wrote it.
TEST_F(RunFile, AFileOfTheFirstSchemaIsReadButNotGoneOnWith) {
  const vtax::Run written = three_trials();
  write(written);
  sql("DROP TABLE call; DROP TABLE seal; DROP TABLE waiting; DROP TABLE busy; DROP TABLE schedule; DROP "
      "TABLE timeline; DROP "
      "TABLE guest_work;"
      "PRAGMA user_version = 1");
  auto reader = RunReader::open(file_);
  ASSERT_TRUE(reader) << reader.error().text();
  const auto read = reader->all();
  ASSERT_TRUE(read) << read.error().text();
  ASSERT_EQ(read->trials.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) expect_equal(read->trials[i], written.trials[i]);
  EXPECT_THAT(RunWriter::resume(file_, written).error().text(), HasSubstr("an older vtax began it"));
}

}  // namespace
}  // namespace vtax
