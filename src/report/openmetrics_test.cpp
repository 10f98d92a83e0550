#include "report/openmetrics.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "query/cell.h"
#include "query/testing/run_on_disk.h"
#include "record/testing/synthetic_run.h"

namespace vtax {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string openmetrics_of(const Run& run) {
  const RunOnDisk disk(run);
  auto reader = disk.reader();
  std::ostringstream out;
  const auto written = write_openmetrics(reader, out);
  EXPECT_TRUE(written) << written.error().text();
  return out.str();
}

// The value of the first sample of this name with all of these labels.
double value_of(const std::string& text, const std::string& name, const std::vector<std::string>& labels) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name + "{")) continue;
    if (std::all_of(labels.begin(), labels.end(),
                    [&](const std::string& label) { return line.find(label) != std::string::npos; }))
      return std::stod(line.substr(line.find("} ") + 2));
  }
  ADD_FAILURE() << "no sample of " << name;
  return 0;
}

TEST(OpenMetrics, TimesAreSeconds) {
  auto run = synthetic_run();
  run.trials = {run.trials[0]};
  Trial& trial = run.trials[0];
  trial.work.transactions = Transactions(1000);
  trial.guests = {{"guest1", Bytes(0), Transactions(1000), 2'000'000'000}};
  trial.waiting = {{"guest1", 1000, 61'000'000, 41'000, 57'000, 83'000, 123'000, 190'000, 251'000}};
  const std::string text = openmetrics_of(run);
  EXPECT_DOUBLE_EQ(value_of(text, "vtax_latency_seconds", {"percentile=\"50\""}), 57e-6);
  EXPECT_DOUBLE_EQ(value_of(text, "vtax_latency_seconds", {"percentile=\"99\""}), 123e-6);
  EXPECT_DOUBLE_EQ(value_of(text, "vtax_latency_seconds", {"percentile=\"100\""}), 251e-6);
}

TEST(OpenMetrics, SayWhereCostsComeFrom) {
  auto run = synthetic_run();
  EXPECT_THAT(openmetrics_of(run), HasSubstr("by domain and layer; instructions are exact.\n"));
  run.settings = R"({"machine": "simulator"})";
  const std::string simulated = openmetrics_of(run);
  EXPECT_THAT(simulated, HasSubstr("by domain and layer; simulated, not measured"));
  EXPECT_THAT(simulated, Not(HasSubstr("exact")));
}

// A host's costs are nanoseconds, and shown in the unit of the metric's name.
TEST(OpenMetrics, CpuTimeIsSecondsAndInstructionsAreInstructions) {
  auto run = synthetic_run();
  run.trials = {run.trials[0]};
  const auto costs_of = [](const vtax::Run& of) {
    const RunOnDisk disk(of);
    auto reader = disk.reader();
    return read_costs(reader).value().cells.at(0).cost()->domains;
  };
  const auto domains = costs_of(run);
  ASSERT_FALSE(domains.empty());
  const auto& [domain, layers] = *domains.begin();
  const auto kernel = static_cast<double>(layers[static_cast<std::size_t>(Layer::kernel)]);
  ASSERT_GT(kernel, 0);
  const std::vector<std::string> labels{fmt::format("domain=\"{}\"", domain), "layer=\"kernel\""};
  EXPECT_DOUBLE_EQ(value_of(openmetrics_of(run), "vtax_window_instructions", labels), kernel);

  Trial& trial = run.trials[0];
  for (LedgerEntry& entry : trial.ledger)
    if (entry.kind == "instructions") entry.kind = kCpuTimeKind;
  trial.functions.clear();
  trial.machine_total = trial.peer_total = {};
  EXPECT_DOUBLE_EQ(value_of(openmetrics_of(run), "vtax_window_cpu_seconds", labels), kernel * 1e-9);
}

}  // namespace
}  // namespace vtax
