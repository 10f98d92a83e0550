#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <map>

#include "record/testing/run_file_fixture.h"
#include "record/trial_check.h"

namespace vtax {
namespace {

using testing::HasSubstr;

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
  expect_kept(written);
}

TEST_F(RunFile, KeepsTheWorkOfEachGuest) {
  vtax::Run written = three_trials();
  written.trials[1].guests = {{"guest1", Bytes(100), Transactions(0), 7},
                              {"guest2", Bytes(50), Transactions(3), 8}};
  write(written);
  expect_kept(written);
}

// One slice a third of the ledger, the other the rest.
TEST_F(RunFile, KeepsTheTimeline) {
  vtax::Run written = three_trials();
  written.trials[1].guests = {{"guest1", Bytes(100), Transactions(0), 7}};
  written.trials[1].timeline = two_slices_of(written.trials[1]);
  write(written);
  expect_kept(written);
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

}  // namespace
}  // namespace vtax
