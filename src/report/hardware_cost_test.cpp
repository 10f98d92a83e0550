#include "query/hardware_cost.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "core/readable.h"
#include "query/cell.h"
#include "query/testing/run_on_disk.h"
#include "record/testing/synthetic_run.h"
#include "report/ledger_csv.h"
#include "report/markdown.h"
#include "report/openmetrics.h"
#include "report/table.h"

namespace vtax {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kNote[] = "not seen: packets on other threads' backs (2.0 ms)";

// Native, container and xen-pv receive over a card; the first and the last have counters.
Run host_run(bool counters) {
  Run run = synthetic_header();
  run.settings = R"({"machine": "host"})";
  for (Trial trial : synthetic_run().trials) {
    const auto& f = trial.factors;
    if (f.at("topology") != "card" || f.at("offloads") != "off" || f.at("direction") != "receive" ||
        f.at("workload") != "tcp-stream" || f.at("write_bytes") != "65536")
      continue;
    make_host(trial);
    if (counters && f.at("platform") != "container") add_hardware_counters(trial, kNote);
    run.trials.push_back(std::move(trial));
  }
  run.planned_trials = run.trials.size();
  return run;
}

template <class Write>
std::string written(const Run& run, const Write& write) {
  const RunOnDisk disk(run);
  auto reader = disk.reader();
  std::ostringstream out;
  const auto done = write(reader, out);
  EXPECT_TRUE(done) << done.error().text();
  return out.str();
}

std::uint64_t kernel_ns(const Trial& trial) {
  std::uint64_t sum = 0;
  for (const LedgerEntry& entry : trial.ledger)
    if (entry.kind == kCpuTimeKind && entry.layer == Layer::kernel) sum += entry.value;
  return sum;
}

TEST(HardwareCost, IsBesideTheCostAndNoPartOfIt) {
  const auto plain = host_run(false), with = host_run(true);
  const WindowCost without = window_cost(plain.trials[0]), cost = window_cost(with.trials[0]);
  EXPECT_FALSE(without.hardware);
  ASSERT_TRUE(cost.hardware);
  EXPECT_EQ(cost.total, without.total);
  EXPECT_EQ(cost.instructions, without.instructions);
  EXPECT_EQ(cost.events, without.events);
  EXPECT_EQ(cost.cpus, without.cpus);
  const auto kernel = static_cast<std::size_t>(Layer::kernel);
  EXPECT_EQ(cost.hardware->cycles[kernel], 3 * kernel_ns(with.trials[0]));
  EXPECT_EQ(cost.hardware->instructions[kernel], 4 * kernel_ns(with.trials[0]));
  EXPECT_TRUE(cost.hardware->is_whole);
  EXPECT_EQ(hardware_notes(*cost.hardware),
            std::string(kNote) + "; counted threads ran 93 % of the CPU time");
}

TEST(HardwareCost, WithAPartMissingThereIsNoTotal) {
  auto run = host_run(true);
  std::erase_if(run.trials[0].ledger, [](const LedgerEntry& entry) {
    return is_hardware_count(entry) && entry.layer == Layer::kernel;
  });
  const auto cost = hardware_cost(run.trials[0]);
  ASSERT_TRUE(cost);
  EXPECT_FALSE(cost->is_whole);
  const auto lines = hardware_lines(*cost, 10);
  EXPECT_FALSE(lines[0].layers[1]);  // kernel: not a zero
  EXPECT_TRUE(lines[0].layers[2]);
  for (const auto& line : lines) EXPECT_FALSE(line.total) << line.name;
  // A guest of which no part is told apart is whole all the same.
  for (LedgerEntry& entry : run.trials[0].ledger)
    if (is_hardware_count(entry)) entry.layer = Layer::uncharged;
  EXPECT_TRUE(hardware_cost(run.trials[0])->is_whole);
}

TEST(HardwareCost, OfHalfOfTheTimeThereIsNoTotal) {
  Trial trial = host_run(true).trials[0];
  trial.provenance = R"({"meter": {"hardware_counters": "counted", "hardware_counters_cpu_share": 0.51}})";
  const auto cost = hardware_cost(trial);
  ASSERT_TRUE(cost);
  EXPECT_FALSE(cost->is_whole);
  EXPECT_TRUE(hardware_lines(*cost, 1)[0].layers[1]);
  EXPECT_FALSE(hardware_lines(*cost, 1)[0].total);
}

TEST(HardwareCost, LinesAreByUnitOfWorkButTheRatio) {
  HardwareCost cost;
  cost.cycles[static_cast<std::size_t>(Layer::kernel)] = 100;
  cost.cycles[static_cast<std::size_t>(Layer::program)] = 300;
  cost.instructions[static_cast<std::size_t>(Layer::kernel)] = 50;
  cost.instructions[static_cast<std::size_t>(Layer::program)] = 600;
  const auto lines = hardware_lines(cost, 10);
  EXPECT_EQ(lines[0].layers[1], 10.0);
  EXPECT_EQ(lines[0].total, 40.0);
  EXPECT_EQ(lines[1].total, 65.0);
  EXPECT_EQ(lines[2].layers[1], 0.5);
  EXPECT_EQ(lines[2].layers[2], 2.0);
  EXPECT_EQ(lines[2].total, 1.625);
  EXPECT_FALSE(lines[0].layers[0]);
  EXPECT_FALSE(lines[2].layers[0]);
}

Result<> whole_table(RunReader& reader, std::ostream& out) {
  return write_table(reader, out, TableDetail::all);
}

TEST(HardwareCost, AStrangersProvenanceIsNoCrash) {
  Trial trial = host_run(true).trials[0];
  for (const char* text :
       {"", "[]", "7", "{", R"({"meter": 3})", R"({"meter": {"hardware_counters_notes": 1}})",
        R"({"meter": {"hardware_counters_notes": [1, null, {}],
                               "hardware_counters_cpu_share": "x"}})"}) {
    trial.provenance = text;
    const auto cost = hardware_cost(trial);
    ASSERT_TRUE(cost);
    EXPECT_TRUE(cost->notes.empty());
    EXPECT_EQ(cost->cpu_share, 1);
  }
}

TEST(HardwareCost, EveryReportShowsItWhereItIs) {
  const auto run = host_run(true);
  const double per_kb = 3 * static_cast<double>(kernel_ns(run.trials[0])) /
                        (static_cast<double>(run.trials[0].work.bytes.value) / 1024);
  const std::string table = written(run, whole_table);
  EXPECT_THAT(table, AllOf(HasSubstr("hardware counters, per KB"), HasSubstr("  native, cycles"),
                           HasSubstr("  xen-pv, instructions per cycle"), HasSubstr(readable(per_kb)),
                           HasSubstr("  native: not seen: packets on other"), Not(HasSubstr("hw cycles")),
                           Not(HasSubstr("container, cycles"))));
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(columns(line), 80U) << line;
  EXPECT_THAT(written(run, write_markdown),
              AllOf(HasSubstr("## Hardware counters"), HasSubstr("| native | cycles per KB | - | "),
                    HasSubstr("| xen-pv | instructions per cycle | "), HasSubstr("not seen: packets")));
  EXPECT_THAT(written(run, write_ledger_csv), HasSubstr(",kernel,,hw_cycles,"));
  EXPECT_THAT(written(run, write_openmetrics),
              AllOf(HasSubstr("# TYPE vtax_window_hardware gauge"), HasSubstr("count=\"cycles\"")));
}

TEST(HardwareCost, WhatWasAskedForAndNotHadIsSaid) {
  auto run = host_run(false);
  for (Trial& trial : run.trials) {
    trial.factors["hardware_counters"] = "on";
    trial.provenance = R"({"meter": {"hardware_counters": "not counted: there are none"}})";
  }
  constexpr char kSaid[] = "hardware counters not counted: there are none";
  EXPECT_TRUE(hardware_lines(*hardware_cost(run.trials[0]), 1).empty());
  EXPECT_THAT(written(run, whole_table), AllOf(HasSubstr("native: hardware counters not counted:"),
                                               Not(HasSubstr("hardware counters, per"))));
  EXPECT_THAT(written(run, write_markdown), AllOf(HasSubstr(kSaid), Not(HasSubstr("| count |"))));
  const std::string reason(100, 'r');
  run.trials[0].provenance = R"({"meter": {"hardware_counters": "not counted: )" + reason + R"("}})";
  EXPECT_THAT(hardware_notes(*hardware_cost(run.trials[0])), HasSubstr(reason));
  run.trials[0].provenance = "[";
  EXPECT_EQ(hardware_notes(*hardware_cost(run.trials[0])), "hardware counters were not read");
}

TEST(HardwareCost, NoReportSpeaksOfItWhereItIsNot) {
  const auto run = host_run(false);
  EXPECT_THAT(written(run, whole_table), Not(HasSubstr("hardware")));
  EXPECT_THAT(written(run, write_markdown), Not(HasSubstr("ardware")));
  EXPECT_THAT(written(run, write_openmetrics), Not(HasSubstr("hardware")));
}

}  // namespace
}  // namespace vtax
