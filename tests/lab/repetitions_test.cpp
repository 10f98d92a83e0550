// Repetitions of a trial are windows of one machine: each counts what it would count alone.

#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <fstream>

#include "tests/lab/lab_bench.h"

namespace vtax::lab {
namespace {

using testing::HasSubstr;

Trial repetition(const std::map<std::string, std::string>& factors, int number) {
  Trial trial;
  trial.factors = factors;
  trial.repetition = number;
  return trial;
}

std::map<std::string, std::string> on(PlatformId kind, std::map<std::string, std::string> more) {
  more["platform"] = name_of(kind);
  return more;
}

std::map<std::string, std::string> exchange(PlatformId kind) {
  return on(kind, {{"topology", "card"},
                   {"workload", "tcp-rr"},
                   {"direction", "receive"},
                   {"offloads", "off"},
                   {"transactions", "50"},
                   {"request_bytes", "1"},
                   {"response_bytes", "1"},
                   {"warmup_transactions", "10"}});
}

struct Seen {
  std::vector<Trial> trials;
  std::vector<std::optional<Error>> errors;
};

Seen run(const LabMachine& machine, const std::map<std::string, std::string>& factors,
         std::initializer_list<int> numbers, const std::function<void()>& after_each = {}) {
  std::vector<Trial> trials;
  for (const int number : numbers) trials.push_back(repetition(factors, number));
  Seen seen;
  const auto ran = machine.run_repetitions(
      std::move(trials), quiet, [&](const Trial& trial, const std::optional<Error>& error) -> Result<> {
        seen.trials.push_back(trial);
        seen.errors.push_back(error);
        if (after_each) after_each();
        return {};
      });
  EXPECT_TRUE(ran) << ran.error().text();
  for (const auto& error : seen.errors)
    if (error && !after_each) ADD_FAILURE() << error->text();
  return seen;
}

class Repetitions : public testing::TestWithParam<PlatformId> {};

TEST_P(Repetitions, EachCountsTheSameHoweverManyThereAre) {
  NEED_LAB(GetParam());
  const LabMachine& machine = LabBench::get().machine(GetParam());
  const Seen three = run(machine, exchange(GetParam()), {1, 2, 3});
  ASSERT_EQ(three.trials.size(), 3U);
  // What a run has that goes on where the third is missing.
  const Seen third = run(machine, exchange(GetParam()), {3});
  ASSERT_EQ(third.trials.size(), 1U);
  EXPECT_EQ(third.trials[0].repetition, 3);
  EXPECT_EQ(third.trials[0].digest, three.trials[2].digest);
  EXPECT_EQ(third.trials[0].ledger, three.trials[2].ledger);
  const Trial usual = LabBench::get().measured(exchange(GetParam()));
  EXPECT_EQ(usual.digest, three.trials[0].digest);
  std::set<std::string> digests;
  for (const Trial& trial : three.trials) {
    EXPECT_EQ(trial.digest.size(), 64U);
    EXPECT_EQ(trial.work.transactions, Transactions(50));
    EXPECT_GT(trial.machine_total.value, 1'000'000U);
    digests.insert(trial.digest);
  }
  EXPECT_EQ(digests.size(), 3U);  // each starts at another phase
  EXPECT_EQ(emulators_left(), 0);
}

INSTANTIATE_TEST_SUITE_P(All, Repetitions, testing::Values(PlatformId::native, PlatformId::xen_pv),
                         [](const auto& tested) { return test_name(tested.param); });

TEST(RepetitionsOfOtherWork, IsThereForEachWorkload) {
  NEED_LAB(PlatformId::native);
  const LabMachine& machine = LabBench::get().machine(PlatformId::native);
  const std::map<std::string, std::string> stream = {
      {"topology", "card"}, {"workload", "tcp-stream"}, {"direction", "send"},    {"offloads", "off"},
      {"bytes", "65536"},   {"write_bytes", "1448"},    {"warmup_bytes", "65536"}};
  const std::map<std::string, std::string> memory = {
      {"workload", "memory"}, {"array_bytes", "65536"}, {"rounds", "2"}, {"topology", "inside"}};
  const std::map<std::string, std::string> web = {{"topology", "card"},
                                                  {"workload", "http"},
                                                  {"direction", "receive"},
                                                  {"offloads", "off"},
                                                  {"requests", "20"},
                                                  {"connections", "2"},
                                                  {"requests_per_connection", "1"},
                                                  {"files", "one"},
                                                  {"file_bytes", "1024"},
                                                  {"connections_per_second", "0"},
                                                  {"warmup_requests", "5"}};
  for (const auto& factors : {stream, memory, web}) {
    const Seen seen = run(machine, on(PlatformId::native, factors), {1, 2});
    ASSERT_EQ(seen.trials.size(), 2U) << factors.at("workload");
    EXPECT_EQ(seen.trials[0].work.bytes, seen.trials[1].work.bytes) << factors.at("workload");
    EXPECT_EQ(seen.trials[0].work.transactions, seen.trials[1].work.transactions);
  }
}

// Of this process, without waiting for them.
std::vector<int> children() {
  std::vector<int> found;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream list(task.path() / "children");
    for (int child = 0; list >> child;) found.push_back(child);
  }
  return found;
}

TEST(RepetitionsOfAMachineThatDies, AreKeptAsFarAsItCame) {
  NEED_LAB(PlatformId::native);
  const LabMachine& machine = LabBench::get().machine(PlatformId::native);
  const auto kill_it = [] {
    for (const int child : children()) kill(child, SIGKILL);
  };
  const Seen seen = run(machine, exchange(PlatformId::native), {1, 2, 3}, kill_it);
  ASSERT_EQ(seen.errors.size(), 3U);
  EXPECT_FALSE(seen.errors[0]);
  EXPECT_EQ(seen.trials[0].digest.size(), 64U);
  ASSERT_TRUE(seen.errors[1]);
  EXPECT_THAT(seen.errors[1]->text(), HasSubstr("killed by signal 9"));
  ASSERT_TRUE(seen.errors[2]);
  EXPECT_THAT(seen.errors[2]->text(), HasSubstr("run 2 of the same machine failed before it"));
  EXPECT_EQ(seen.trials[2].repetition, 3);
  EXPECT_EQ(emulators_left(), 0);
}

TEST(RepetitionsOnMachinesOfTheirOwn, BeginLater) {
  const std::map<std::string, std::string> disk = {{"platform", "native"}, {"workload", "disk"}};
  EXPECT_FALSE(repeats_in_one_machine(*trial_spec_of(disk)));
  EXPECT_TRUE(repeats_in_one_machine(*trial_spec_of({{"workload", "tcp-rr"}})));
  const auto first = plan_of(repetition(disk, 1)), second = plan_of(repetition(disk, 2));
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  EXPECT_THAT(*first, testing::Not(HasSubstr("delay_us")));
  EXPECT_THAT(*second, HasSubstr("\"delay_us\":355700"));
  const auto usual = exchange(PlatformId::native);
  EXPECT_EQ(plan_of(repetition(usual, 1)).value(), plan_of(repetition(usual, 9)).value());
}

}  // namespace
}  // namespace vtax::lab
