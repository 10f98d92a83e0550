#include "report/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "core/readable.h"
#include "core/text_table.h"
#include "query/testing/claims_of_synthetic_run.h"
#include "query/testing/run_on_disk.h"
#include "record/testing/synthetic_run.h"
#include "report/trial_list.h"
#include "tests/golden.h"

namespace vtax {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string table_of(const Run& run, TableDetail detail = TableDetail::all, std::size_t page = 80) {
  const RunOnDisk disk(run);
  auto reader = disk.reader();
  std::ostringstream out;
  set_page_columns(out, page);
  const auto written = write_table(reader, out, detail);
  EXPECT_TRUE(written) << written.error().text();
  return out.str();
}

std::string unwrapped(std::string text) {
  for (std::size_t at = 0; (at = text.find("\n  ")) != std::string::npos;)
    text.replace(at, text.find_first_not_of(" \n", at) - at, " ");
  return text;
}

// The three platforms over a card with offloads off, receiving, 64 KiB writes.
Run one_comparison() {
  auto run = synthetic_header();
  for (const Trial& trial : synthetic_run().trials) {
    const auto& f = trial.factors;
    if (f.at("topology") != "card" || f.at("offloads") != "off" || f.at("direction") != "receive") continue;
    if (f.at("workload") != "tcp-stream" || f.at("write_bytes") != "65536") continue;
    run.trials.push_back(trial);
  }
  run.planned_trials = run.trials.size();
  return run;
}

TEST(Table, IsAsItWas) {
  expect_golden(table_of(synthetic_run(), TableDetail::first), "table.txt");
  expect_golden(table_of(synthetic_run(), TableDetail::all), "table-all.txt");
}

TEST(Table, KeepsToEightyColumns) {
  for (const TableDetail detail : {TableDetail::first, TableDetail::all}) {
    std::istringstream lines(table_of(synthetic_run(), detail));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(columns(line), 80U) << line;
  }
}

// Six platforms and long names: what does not fit beside its figures stands above them.
TEST(Table, KeepsToATerminalsWidthWhateverItsNames) {
  auto run = one_comparison();
  for (const char* platform : {"kvm", "xen-pvh", "xen-hvm", "uml"}) {
    Trial more = run.trials[2];
    more.index = run.trials.size();
    more.factors["platform"] = platform;
    run.trials.push_back(std::move(more));
  }
  for (std::size_t i = 0, once = run.trials.size(); i < once; ++i) {
    Trial more = run.trials[i];
    more.index = run.trials.size();
    more.factors["guest_memory_mib"] = "192 of a name that is longer than any table";
    run.trials.push_back(std::move(more));
  }
  run.planned_trials = run.trials.size();
  for (const std::size_t page : {60U, 80U, 120U}) {
    std::istringstream lines(table_of(run, TableDetail::first, page));
    std::size_t widest = 0;
    for (std::string line; std::getline(lines, line);) widest = std::max(widest, columns(line));
    EXPECT_LE(widest, page);
    EXPECT_GT(widest, page - 15);
  }
}

// Container costs 1.4 times native's in all; xen-pv's own median over 16 combinations is another's than its
// most.
TEST(Table, BeginsWithTheTypicalCombinationOfEachWorkloadAndTheRange) {
  const std::string table = table_of(synthetic_run(), TableDetail::first);
  EXPECT_THAT(table, HasSubstr("\n  A KB of tcp-stream costs, relative to native's "));
  EXPECT_THAT(unwrapped(table),
              HasSubstr("(typical of 16 combinations: receiving, card, offloads on, 64 KiB writes):"));
  EXPECT_THAT(table, HasSubstr("\n    container  1.40? times; the same in all; the kernel pays"));
  EXPECT_THAT(table, HasSubstr("2.53 to 4.50 over all;"));
  EXPECT_THAT(table, HasSubstr("\n  A transaction of tcp-rr costs, relative to native's "));
  // Of the sixteen the marked ones are the ends of that range.
  EXPECT_THAT(table, testing::ContainsRegex(
                         "\n  receiving, card, offloads off, 64 KiB writes +1\\.40\\? +4\\.50\\?\\^\n"));
  EXPECT_THAT(table, testing::ContainsRegex(" 2\\.53\\?v\n"));
  EXPECT_THAT(table, HasSubstr("^: a platform's most, v: its least."));
}

TEST(Table, OfManyCombinationsTheFirstTableHasTheEnds) {
  auto run = synthetic_header();
  for (std::uint64_t i = 0; i < 80; ++i) {
    Trial trial = synthetic_run().trials[i % 2 == 0 ? 0 : 40];
    trial.index = i;
    trial.factors["bytes"] = std::to_string(8'388'608 + i / 2 * 1024);
    scale_function(trial, "copy_user_generic", 1 + 0.01 * static_cast<double>(i));
    run.trials.push_back(std::move(trial));
  }
  run.planned_trials = 80;
  const std::string table = unwrapped(table_of(run, TableDetail::first));
  EXPECT_THAT(table, HasSubstr("typical of 40 combinations"));
  EXPECT_THAT(table,
              testing::ContainsRegex("2[34] combinations between these are left out; --all lists each"));
  EXPECT_THAT(table_of(run, TableDetail::all), Not(HasSubstr("are left out")));
}

TEST(Table, APapersVerdictsStandFirstWithTheClaimsThatFell) {
  auto run = synthetic_run();
  carry_claims(run, synthetic_claims());
  const std::string table = table_of(run, TableDetail::first);
  const std::size_t verdicts = table.find("1 of 4 claims reproduced, 1 not reproduced, 2 not testable here.");
  EXPECT_LT(verdicts, table.find("A KB of tcp-stream costs"));
  EXPECT_THAT(unwrapped(table),
              HasSubstr("driver-share  The driver domain pays most of it. 0.47 is not at least 0.9."));
  EXPECT_THAT(unwrapped(table), HasSubstr("2 more could not be tested in this run; --all says why."));
}

TEST(Table, FailuresStandFirst) {
  auto run = one_comparison();
  make_failed(run.trials[2], "the guest panicked");
  const std::string table = table_of(run, TableDetail::first);
  EXPECT_LT(table.find("1 of 3 trials failed:\n    xen-pv  the guest panicked"),
            table.find("A KB of tcp-stream"));
}

TEST(Table, GivesTheTrialsOwnFigures) {
  const auto run = one_comparison();
  const Trial& xen = run.trials[2];
  const auto per_kilobyte = [](const Trial& trial) {
    return static_cast<double>(trial.machine_total.value) /
           (static_cast<double>(trial.work.bytes.value) / 1024);
  };
  const double virtualised = per_kilobyte(xen);
  const double native = per_kilobyte(run.trials[0]);
  std::string table = table_of(run);
  for (std::size_t at = 0; (at = table.find("\n  ")) != std::string::npos;) table.replace(at, 3, " ");
  EXPECT_THAT(table, HasSubstr("relative to native's " + readable(native) + " instructions"));
  EXPECT_THAT(table, HasSubstr(" xen-pv     " + readable(virtualised / native) + "? times; "));
  EXPECT_THAT(table, HasSubstr(readable(virtualised)));
}

TEST(Table, SeveralDriverDomainsHaveTheirParts) {
  auto run = one_comparison();
  EXPECT_THAT(table_of(run), Not(HasSubstr("driver per KB")));
  for (LedgerEntry& entry : run.trials[2].ledger)
    if (entry.layer == Layer::driver && entry.part == Part::program) entry.domain = "driver1";
  const std::string table = table_of(run);
  EXPECT_THAT(table, HasSubstr("driver per KB: Domain-0"));
  EXPECT_THAT(table, HasSubstr("driver1"));
}

TEST(Table, RepetitionsThatAgreeAreCalledIdentical) {
  auto run = one_comparison();
  for (std::size_t i = 0; i < 3; ++i) {
    Trial again = run.trials[i];
    again.index = 3 + i;
    again.repetition = 2;
    run.trials.push_back(again);
  }
  run.planned_trials = 6;
  EXPECT_THAT(table_of(run), HasSubstr("  xen-pv: 2 starts, identical, "));
}

TEST(Table, RepetitionsThatDifferSayByHowMuch) {
  auto run = one_comparison();
  for (std::size_t i = 0; i < 6; ++i) {
    Trial again = run.trials[2];
    scale_function(again, "xenvif_tx_action", 1.01 + 0.01 * static_cast<double>(i));
    again.index = 3 + i;
    again.repetition = 2 + static_cast<int>(i);
    run.trials.push_back(again);
  }
  const std::string table = table_of(run);
  EXPECT_THAT(table, HasSubstr("  xen-pv: 7 starts, "));
  EXPECT_THAT(table, HasSubstr("95 % interval"));
  EXPECT_THAT(table, HasSubstr("?: too few repetitions to tell it from native (4 of each do)."));
  // On the host every number of runs is told.
  run.settings = R"({"machine": "host"})";
  const std::string sampled = table_of(run);
  EXPECT_THAT(sampled, HasSubstr("  xen-pv: 7 runs, "));
  EXPECT_THAT(sampled, HasSubstr("95 % interval"));
  EXPECT_THAT(sampled, HasSubstr("  native: 1 run, "));
}

// Each platform five times, xen-pv's netback and native's copies at these factors.
Run five_starts(const std::vector<double>& xen, const std::vector<double>& native) {
  auto run = one_comparison();
  const auto once = run.trials;
  run.trials.clear();
  for (std::size_t i = 0; i < xen.size(); ++i) {
    for (Trial trial : once) {
      trial.index = run.trials.size();
      trial.repetition = static_cast<int>(i) + 1;
      if (trial.factors.at("platform") == "xen-pv") scale_function(trial, "xenvif_tx_action", xen[i]);
      if (trial.factors.at("platform") == "native") scale_function(trial, "copy_user_generic", native[i]);
      run.trials.push_back(std::move(trial));
    }
  }
  run.planned_trials = run.trials.size();
  return run;
}

TEST(Table, FiveStartsGiveEveryFigureItsInterval) {
  const std::string table =
      unwrapped(table_of(five_starts({1, 1.01, 1.02, 1.03, 1.04}, {1, 1.001, 1.002, 1.003, 1.004})));
  EXPECT_THAT(table, testing::ContainsRegex("xen-pv +4\\.[0-9]+ times \\(4\\.[0-9]+ to 4\\.[0-9]+\\)"));
  EXPECT_THAT(table, HasSubstr("xen-pv: 5 starts, "));
  EXPECT_THAT(table, HasSubstr("94 % interval"));
  EXPECT_THAT(table, HasSubstr("against native: differs, p 0.0079"));
  EXPECT_THAT(table, HasSubstr("the interval says what the start changes"));
  EXPECT_THAT(table, Not(HasSubstr("too few")));
}

// What spreads by more than it differs from native decides nothing, and that is said.
TEST(Table, WhatSpreadsTooMuchIsCalledUndecided) {
  const std::vector<double> steady{1, 1.001, 1.002, 1.003, 1.004};
  const auto wild = five_starts({1, 10, 30, 80, 200}, steady);
  const std::string table = unwrapped(table_of(wild));
  EXPECT_THAT(table, testing::ContainsRegex("container  1\\.40 times \\(1\\.[0-9]+ to 1\\.[0-9]+\\);"));
  EXPECT_THAT(table, testing::ContainsRegex("xen-pv +[0-9.]+ times \\([0-9.]+ to [0-9.]+: undecided, more"));
}

TEST(Table, PacketsThatAreNotAlikeHaveNoTax) {
  auto run = one_comparison();
  run.trials[2].work.packets = Packets(run.trials[0].work.packets.value / 30);
  const std::string table = table_of(run);
  EXPECT_THAT(unwrapped(table), HasSubstr("xen-pv: its packets are not native's: "));
  const std::string per_packet = table.substr(table.find("\ntcp-stream, per packet"));
  EXPECT_THAT(per_packet.substr(0, per_packet.find("COST")), testing::ContainsRegex("1\\.40\\? +-\n"));
}

TEST(Table, FewMillisecondsOfProgramsAreCalledAMatterOfTicks) {
  auto run = one_comparison();
  run.settings = R"({"machine": "host"})";
  for (Trial& trial : run.trials) make_host(trial);
  EXPECT_THAT(unwrapped(table_of(run)), HasSubstr("of programs' time are a matter of a few ticks"));
}

TEST(Table, ProgramsWithoutTimeHadLessThanATick) {
  auto run = one_comparison();
  run.settings = R"({"machine": "host"})";
  constexpr char kText[] = "programs had less time than the ticks tell that divide it";
  for (Trial& trial : run.trials) {
    make_host(trial);
    std::erase_if(trial.ledger, [](const LedgerEntry& entry) { return entry.layer == Layer::program; });
  }
  EXPECT_THAT(unwrapped(table_of(run)), Not(HasSubstr(kText)));  // of streams, which need no program's time
  for (Trial& trial : run.trials) trial.factors["workload"] = "program";
  EXPECT_THAT(unwrapped(table_of(run)), HasSubstr(kText));
}

TEST(Table, CpuTimeHasTheUnitOfItsSize) {
  auto run = one_comparison();
  run.settings = R"({"machine": "host"})";
  for (Trial& trial : run.trials) make_host(trial);
  const auto with_times = [&](std::uint64_t factor) {
    auto scaled = run;
    for (Trial& trial : scaled.trials)
      for (LedgerEntry& row : trial.ledger) row.value *= factor;
    return table_of(scaled);
  };
  EXPECT_THAT(with_times(1), HasSubstr("\n  in us of CPU time\n"));
  const std::string table = with_times(1000);
  EXPECT_THAT(table, HasSubstr("\n  in ms of CPU time\n"));
  EXPECT_THAT(table, testing::ContainsRegex("native's [0-9.]+ us of CPU time"));
  EXPECT_THAT(table, Not(HasSubstr("million")));
}

TEST(Table, PerturbedMachinesAreARangeAndNoRepetition) {
  auto run = one_comparison();
  const auto trials = run.trials;
  for (Trial& trial : run.trials) trial.factors["variation"] = "none";
  for (int i = 1; i <= 2; ++i) {
    for (Trial trial : trials) {
      trial.index = run.trials.size();
      trial.factors["variation"] = "layout-" + std::to_string(i);
      scale_function(trial, "xenvif_tx_action", i == 1 ? 0.9 : 1.2);
      run.trials.push_back(std::move(trial));
    }
  }
  const std::string table = table_of(run);
  EXPECT_THAT(table, HasSubstr("  xen-pv: sensitivity: "));
  EXPECT_THAT(table, HasSubstr("perturbed"));
  EXPECT_THAT(table, testing::Not(HasSubstr("3 starts")));
}

TEST(Table, FailedAndMissingTrialsAreListed) {
  auto run = one_comparison();
  make_failed(run.trials[2], "the guest panicked: Kernel panic\nnot syncing");
  run.planned_trials = 5;
  const std::string table = table_of(run);
  EXPECT_THAT(table, HasSubstr("FAILED: 1 of 3 recorded trials"));
  EXPECT_THAT(table, HasSubstr("xen-pv, tcp-stream: the guest panicked: Kernel panic not"));
  EXPECT_THAT(table, HasSubstr("2 trials were not run yet"));
  run.planned_trials = 4;
  EXPECT_THAT(table_of(run), HasSubstr("\n1 trial was not run yet"));
}

TEST(Table, WithoutNativeThereIsNoTax) {
  auto run = one_comparison();
  run.trials.erase(run.trials.begin());
  const std::string table = table_of(run);
  EXPECT_THAT(table, HasSubstr("Without native's cost of the same there is no tax to give."));
  EXPECT_THAT(table, Not(HasSubstr("TAX:")));
}

TEST(Table, OfNativeAloneItIsNotSaidThatNativeIsMissing) {
  auto run = one_comparison();
  run.trials.erase(run.trials.begin() + 1, run.trials.end());
  const std::string table = table_of(run);
  EXPECT_THAT(table, HasSubstr("Only native was measured"));
  EXPECT_THAT(table, Not(HasSubstr("over all")));
}

TEST(Table, WithoutAQuestionItBeginsWithTheAnswer) {
  auto run = one_comparison();
  run.question.clear();
  EXPECT_THAT(table_of(run), testing::StartsWith("  A KB of tcp-stream costs, relative to native's"));
}

TEST(Table, WhatIsChargedToNobodyIsNoPayer) {
  auto run = one_comparison();
  add_uncharged(run.trials[2], run.trials[2].machine_total);
  std::string table = table_of(run);
  for (std::size_t at = 0; (at = table.find("\n  ")) != std::string::npos;) table.replace(at, 3, " ");
  EXPECT_THAT(unwrapped(table), HasSubstr("the driver domain pays 24 %"));
  EXPECT_THAT(unwrapped(table), HasSubstr("; 50 % could not be charged to anyone"));
}

TEST(Table, EventsThatDidNotHappenAreToldFromThoseThatNobodySaw) {
  auto run = one_comparison();
  const std::uint64_t bytes = run.trials[2].work.bytes.value;
  for (const auto& [kind, value] : {std::pair<const char*, std::uint64_t>{"gro_packets", bytes / 1024 * 3},
                                    {"napi_polls", bytes / 1024 / 2},
                                    {"gro_merges", 0},
                                    {"gso_splits", 0}})
    run.trials[2].ledger.push_back({2, "guest1", Layer::kernel, Part::none, kind, value});
  std::string table = table_of(run);
  for (std::size_t at = 0; (at = table.find("\n    ")) != std::string::npos;) table.replace(at, 5, " ");
  EXPECT_THAT(table, HasSubstr("gro packets 3.00, hypercalls 0.47, interrupts 0.31, napi polls 0.50 "
                               "(6.00 packets each); none: gro merges, gso splits"));
  EXPECT_THAT(table, Not(HasSubstr("grant copies")));
}

// Compiles: counts of billions, no network device, and no transactions of anybody's.
TEST(Table, LocalWorkKeepsToThePageAndHasItsOwnNouns) {
  auto run = one_comparison();
  for (Trial& trial : run.trials) make_compile(trial);
  const std::string table = table_of(run);
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(columns(line), 80U) << line;
  EXPECT_THAT(table, HasSubstr("  in millions of instructions\nper compile "));
  EXPECT_THAT(table, HasSubstr("\n  xen-pv: per compile: hypercalls"));
  EXPECT_THAT(table, HasSubstr("A compile costs, relative to native's 10.1 billion instructions:\n"));
  EXPECT_THAT(table, Not(HasSubstr("transaction")));
}

// As docs/study-files.md says of driver_cpus: native was measured once, for both.
TEST(Table, ACellStandsForAllValuesOfAFactorThatWasSetAside) {
  auto run = one_comparison();
  for (Trial& trial : run.trials) trial.factors["driver_cpus"] = "1";
  Trial more = run.trials[2];
  more.index = 60;
  more.factors["driver_cpus"] = "2";
  scale_function(more, "xenvif_tx_action", 1.5);
  run.trials.push_back(more);
  EXPECT_THAT(table_of(run), testing::ContainsRegex("driver cpus 2 +- +-"));
  run.settings = R"({"set_aside": {"native": ["driver_cpus"], "container": ["driver_cpus"]}})";
  const std::string table = table_of(run);
  EXPECT_THAT(table, testing::ContainsRegex("driver cpus 2 +1\\.40\\?"));
  // Where nothing but what was set aside has the usual value, there is no comparison of that.
  run.trials.erase(run.trials.begin() + 2);
  const std::string alone = table_of(run);
  EXPECT_THAT(alone, testing::ContainsRegex("container +xen-pv\n  driver cpus 2 +1\\.40\\?"));
  EXPECT_THAT(alone, Not(HasSubstr("\n  all ")));
}

TEST(TrialList, IsAsItWas) {
  auto run = synthetic_run();
  run.trials = {run.trials[0], run.trials[17], run.trials[57], run.trials[59]};
  make_failed(run.trials[3], "the guest hung");
  for (int i = 0; i < 2; ++i) {
    Trial again = run.trials[static_cast<std::size_t>(i)];
    again.index = 100 + static_cast<std::uint64_t>(i);
    again.repetition = 2;
    run.trials.push_back(again);
  }
  const RunOnDisk disk(run);
  auto reader = disk.reader();
  std::ostringstream out;
  ASSERT_TRUE(write_trial_list(reader, out));
  expect_golden(out.str(), "trials.txt");
}

TEST(Table, OfARunWithoutTrials) {
  const std::string table = table_of(synthetic_header());
  EXPECT_THAT(table, HasSubstr("No trial ended: nothing was measured."));
  EXPECT_THAT(table, Not(HasSubstr("Costs are")));
}

TEST(Table, NamesCannotCommandTheTerminal) {
  auto run = one_comparison();
  run.study = "\x1b[31mred";
  for (Trial& trial : run.trials) trial.factors["offloads"] = trial.factors["platform"] + "\x1b[5m";
  EXPECT_THAT(table_of(run), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace vtax
