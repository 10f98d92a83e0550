#include "query/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <stdexcept>

#include "core/readable.h"
#include "query/testing/run_on_disk.h"
#include "record/testing/synthetic_run.h"
#include "report/comparison_json.h"
#include "report/comparison_summary.h"
#include "report/comparison_text.h"
#include "tests/golden.h"

namespace vtax {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

RunComparison compare(const Run& before, const Run& after) {
  const RunOnDisk a(before);
  const RunOnDisk b(after);
  auto reader_a = a.reader();
  auto reader_b = b.reader();
  return compare_runs(reader_a, reader_b).value();
}

Run three_platforms() {
  auto run = synthetic_run();
  run.trials = {run.trials[16], run.trials[36], run.trials[56]};
  run.planned_trials = 3;
  return run;
}

// Netback 10 % dearer, on xen-pv only.
Run dearer_netback() {
  auto run = three_platforms();
  scale_function(run.trials[2], "xenvif_tx_action", 1.10);
  return run;
}

TEST(Comparison, EqualRunsAreIdentical) {
  const auto comparison = compare(three_platforms(), three_platforms());
  EXPECT_THAT(comparison.context, SizeIs(0));
  ASSERT_THAT(comparison.cells, SizeIs(3));
  for (const CellChange& cell : comparison.cells) EXPECT_TRUE(cell.is_identical);
  EXPECT_EQ(worst_regression(comparison), 0);
}

TEST(Comparison, FindsTheFunctionThatChanged) {
  const auto before = three_platforms();
  const auto after = dearer_netback();
  const auto comparison = compare(before, after);
  EXPECT_TRUE(comparison.cells[0].is_identical);
  const CellChange& xen = comparison.cells[2];
  EXPECT_FALSE(xen.is_identical);
  ASSERT_THAT(xen.functions, SizeIs(1));
  EXPECT_EQ(xen.functions[0].name, "Domain-0 driver: xenvif_tx_action (xen_netback)");
  const double expected = static_cast<double>(after.trials[2].machine_total.value) /
                              static_cast<double>(before.trials[2].machine_total.value) -
                          1;
  EXPECT_NEAR(worst_regression(comparison), expected, 1e-12);
  EXPECT_EQ(worst_regression(compare(after, before)), 0);  // cheaper is no regression
}

TEST(Comparison, ListsWhatOnlyOneRunHas) {
  auto before = three_platforms();
  auto after = three_platforms();
  make_failed(after.trials[1], "hung");
  before.trials.pop_back();
  const auto comparison = compare(before, after);
  EXPECT_THAT(comparison.cells, SizeIs(1));
  EXPECT_THAT(comparison.only_before, testing::ElementsAre(HasSubstr("container, tcp-stream")));
  EXPECT_THAT(comparison.only_after, testing::ElementsAre(HasSubstr("xen-pv, tcp-stream")));
}

TEST(Comparison, TableIsAsItWas) {
  auto after = dearer_netback();
  after.vtax_version = "0.2.0";
  for (Trial& trial : after.trials)
    trial.provenance = R"({"qemu": {"version": "0.1"}, "kernel": {"version": "0.0-synthetic"}})";
  std::ostringstream out;
  const RunComparison comparison = compare(three_platforms(), after);
  write_comparison_summary(comparison, CellsShown::all, out);
  write_comparison_details(comparison.cells, out);
  expect_golden(out.str(), "compare.txt");
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);) EXPECT_LE(columns(line), 80U) << line;
}

std::string summary(const RunComparison& comparison, CellsShown shown = CellsShown::few) {
  std::ostringstream out;
  write_comparison_summary(comparison, shown, out);
  return out.str();
}

TEST(Comparison, SummaryCountsNamesTheWorstAndFoldsTheRest) {
  auto after = synthetic_run();
  scale_function(after.trials[56], "xenvif_tx_action", 1.10);
  scale_function(after.trials[55], "xenvif_tx_action", 0.90);
  const auto comparison = compare(synthetic_run(), after);
  const std::string few = summary(comparison), all = summary(comparison, CellsShown::all);
  EXPECT_THAT(few, HasSubstr("60 cells: 1 dearer, 1 cheaper, 58 ~ (no difference shown; 58 identical)."));
  EXPECT_THAT(few, HasSubstr("Rose most: xen-pv, tcp-stream, sending, card, offloads off"));
  EXPECT_THAT(few, HasSubstr("xenvif_tx_action (xen_netback)"));
  EXPECT_THAT(few, HasSubstr("native, tcp-stream, per KB: 16 identical"));
  EXPECT_LE(std::count(few.begin(), few.end(), '\n'), 20) << few;
  EXPECT_GE(std::count(all.begin(), all.end(), '\n'), 60);
  for (const std::string& text : {few, all}) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(columns(line), 80U) << line;
  }
}

Run sampled(const std::vector<double>& factors);

// Of many cells those that differ are listed, and the others counted.
TEST(Comparison, SummaryLeavesOutWhatShowsNoDifference) {
  const std::vector<double> some{1.00, 1.04, 1.02, 1.06, 1.01}, alike{1.03, 1.01, 1.05, 1.00, 1.02};
  RunComparison comparison = compare(sampled(some), sampled(alike));
  const CellChange one = comparison.cells.at(0);
  for (int i = 1; i < 40; ++i) {
    comparison.cells.push_back(one);
    comparison.cells.back().factors["write_bytes"] = std::to_string(1000 + i);
  }
  EXPECT_THAT(summary(comparison),
              HasSubstr("40 cells without a difference shown are left out; --all lists"));
  EXPECT_THAT(summary(comparison, CellsShown::all), testing::Not(HasSubstr("left out")));
}

TEST(Comparison, SummaryOfTwentyCellsFitsAScreen) {
  auto before = synthetic_run();
  std::erase_if(before.trials,
                [](const Trial& trial) { return trial.factors.at("platform") == "container"; });
  std::erase_if(before.trials, [](const Trial& trial) { return trial.factors.at("topology") == "inside"; });
  ASSERT_THAT(before.trials, SizeIs(20));
  before.planned_trials = before.trials.size();
  auto after = before;
  for (Trial& trial : after.trials)
    if (trial.factors.at("platform") == "xen-pv") scale_function(trial, "xenvif_tx_action", 1.1);
  const std::string text = summary(compare(before, after));
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 30) << text;
}

TEST(Comparison, MarkdownHasARowACellAndNothingOfForeignNames) {
  auto after = dearer_netback();
  after.trials[2].functions[0].function = "evil|@name";
  std::ostringstream out;
  write_comparison_markdown(compare(three_platforms(), after), CellsShown::few, out);
  EXPECT_THAT(out.str(), HasSubstr("| xen-pv, tcp-stream | KB | "));
  EXPECT_THAT(out.str(), HasSubstr("Rose most: xen-pv, tcp-stream: **"));
  EXPECT_THAT(out.str(), testing::Not(HasSubstr("l|@n")));
}

TEST(Comparison, JsonHoldsTheSameChange) {
  std::ostringstream out;
  write_comparison_json(compare(three_platforms(), dearer_netback()), out);
  const auto json = nlohmann::json::parse(out.str());
  EXPECT_EQ(json["cells"][0]["identical"], true);
  EXPECT_EQ(json["cells"][2]["functions"][0]["name"], "Domain-0 driver: xenvif_tx_action (xen_netback)");
  EXPECT_EQ(json["cells"][2]["unit"], "KB");
}

// docs/report-schema.md promises these fields: each is there and is documented in the part on `compare`, and
// no other field is documented there.
TEST(Comparison, JsonHasTheDocumentedFieldsAndNoOthers) {
  auto after = dearer_netback();
  after.vtax_version = "0.2.0";
  std::ostringstream out;
  write_comparison_json(compare(three_platforms(), after), out);
  const auto json = nlohmann::json::parse(out.str());
  std::set<std::string> written;
  const auto add_fields = [&](const nlohmann::json& object) {
    for (const auto& [key, value] : object.items()) written.insert(key);
  };
  add_fields(json);
  add_fields(json["cells"][2]);
  add_fields(json["cells"][2]["layers"][0]);
  add_fields(json["cells"][2]["functions"][0]);

  std::ifstream in(VTAX_SOURCE_DIR "/docs/report-schema.md");
  std::set<std::string> documented;
  bool is_here = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("# ")) is_here = line == "# `vtax compare --format json`";
    if (is_here && line.starts_with("| `")) documented.insert(line.substr(3, line.find('`', 3) - 3));
  }
  EXPECT_EQ(documented, written);
}

// Repetitions on a machine whose counts vary; `factor` on each total.
Run sampled(const std::vector<double>& factors) {
  auto run = synthetic_run();
  run.settings = R"({"machine": "host"})";
  const Trial one = run.trials[56];
  run.trials.clear();
  for (const double factor : factors) {
    Trial trial = one;
    trial.index = run.trials.size();
    trial.repetition = static_cast<int>(trial.index) + 1;
    scale_function(trial, "xenvif_tx_action", factor);
    run.trials.push_back(std::move(trial));
  }
  return run;
}

TEST(Comparison, OfSamplesNeedsEvidence) {
  const std::vector<double> some{1.00, 1.04, 1.02, 1.06, 1.01}, alike{1.03, 1.01, 1.05, 1.00, 1.02},
      dearer{1.3, 1.31, 1.35, 1.32, 1.33};
  const auto same = compare(sampled(some), sampled(alike));
  EXPECT_FALSE(same.cells.at(0).is_shown());
  EXPECT_EQ(worst_regression(same), 0);
  std::ostringstream text;
  write_comparison_details(same.cells, text);
  EXPECT_THAT(text.str(), HasSubstr("~ no difference shown"));
  const auto worse = compare(sampled(some), sampled(dearer));
  EXPECT_TRUE(worse.cells.at(0).is_shown());
  EXPECT_NEAR(*worse.cells[0].samples.p, 2.0 / 252, 1e-9);
  EXPECT_EQ(worse.cells[0].samples.delta, 1.0);
  EXPECT_GT(worst_regression(worse), 0.02);
  // Too few to tell: a gate does not open for want of repetitions.
  const auto few = compare(sampled({1.0}), sampled({1.3}));
  EXPECT_TRUE(few.cells.at(0).samples.is_too_few);
  EXPECT_GT(worst_regression(few), 0.02);
}

// Repetitions that hardly vary tell differences that another layout of the same code makes, too.
TEST(Comparison, WhatLayoutCouldMakeIsNoDifference) {
  const std::vector<double> some{1.000, 1.0005, 1.001, 1.0015, 1.002};
  const auto times = [&](double factor) {
    std::vector<double> all = some;
    for (double& one : all) one *= factor;
    return compare(sampled(some), sampled(all)).cells.at(0);
  };
  // A tenth of it is the function's that is scaled.
  const CellChange little = times(1.02), enough = times(1.10), cheaper = times(0.90);
  EXPECT_LT(*little.samples.p, kSignificance);
  EXPECT_GT(little.ratio->low, 1);
  EXPECT_FALSE(little.is_shown());
  EXPECT_TRUE(enough.is_shown());
  EXPECT_TRUE(cheaper.is_shown());
  EXPECT_EQ(cheaper.rise(), *cheaper.relative());
}

// The lab's run with perturbed boots, whose netback costs this much.
Run perturbed(double base, const std::vector<double>& factors) {
  auto run = three_platforms();
  run.trials = {run.trials[2]};
  const Trial one = run.trials[0];
  run.trials[0].factors["variation"] = "none";
  scale_function(run.trials[0], "xenvif_tx_action", base);
  for (const double factor : factors) {
    Trial trial = one;
    trial.index = run.trials.size();
    trial.factors["variation"] = "timer-" + std::to_string(run.trials.size());
    scale_function(trial, "xenvif_tx_action", factor);
    run.trials.push_back(std::move(trial));
  }
  return run;
}

TEST(Comparison, WithPerturbedBootsIsMoreThanAnAccident) {
  const auto before = perturbed(1.0, {0.95, 1.1});
  const auto within = compare(before, perturbed(1.05, {1.0, 1.2}));
  ASSERT_THAT(within.cells, SizeIs(1));
  EXPECT_FALSE(within.cells[0].is_identical);
  EXPECT_FALSE(within.cells[0].is_shown());
  EXPECT_EQ(worst_regression(within), 0);
  const auto beyond = compare(before, perturbed(1.3, {1.25, 1.4}));
  EXPECT_TRUE(beyond.cells[0].is_shown());
  EXPECT_GT(worst_regression(beyond), 0.02);
  // Without perturbed boots on one side an exact difference is a difference.
  EXPECT_TRUE(compare(three_platforms(), dearer_netback()).cells[2].is_shown());
}

// A run of a version before a factor was there is compared with the cells that have its usual value.
TEST(Comparison, AFactorThatARunDoesNotKnowIsAtItsUsualValue) {
  auto usual = three_platforms(), other = three_platforms();
  for (Trial& trial : usual.trials) trial.factors["guest_cpus"] = "1";
  for (Trial& trial : other.trials) trial.factors["guest_cpus"] = "2";
  const auto comparison = compare(three_platforms(), usual);
  EXPECT_THAT(comparison.cells, SizeIs(3));
  EXPECT_THAT(comparison.only_before, SizeIs(0));
  EXPECT_THAT(comparison.only_after, SizeIs(0));
  EXPECT_TRUE(comparison.cells[0].is_identical);
  EXPECT_THAT(compare(three_platforms(), other).cells, SizeIs(0));
}

TEST(Comparison, InstructionsAreNotComparedWithTime) {
  auto host = three_platforms();
  host.settings = R"({"machine": "host"})";
  for (Trial& trial : host.trials) {
    trial.functions.clear();
    trial.machine_total = trial.peer_total = {};
    for (LedgerEntry& entry : trial.ledger)
      if (entry.kind == "instructions") entry.kind = kCpuTimeKind;
  }
  EXPECT_THAT(compare(host, host).cells, SizeIs(3));
  const auto comparison = compare(three_platforms(), host);
  EXPECT_THAT(comparison.cells, SizeIs(0));
  EXPECT_THAT(comparison.only_before, SizeIs(3));
  EXPECT_THAT(comparison.only_after, SizeIs(3));
}

TEST(Comparison, WhatFailedAgainIsToldFromWhatWasNotRun) {
  auto after = three_platforms();
  make_failed(after.trials[2], "the guest hung");
  after.trials.erase(after.trials.begin());
  const auto comparison = compare(three_platforms(), after);
  EXPECT_THAT(comparison.only_before, SizeIs(2));
  EXPECT_THAT(comparison.failed_after, testing::ElementsAre("xen-pv, tcp-stream"));
}

// The lab's repetitions are a sample as the host's are.
TEST(Comparison, StartsOfTheLabNeedEvidenceToo) {
  const auto lab = [](const std::vector<double>& factors) {
    auto run = sampled(factors);
    run.settings = R"({"machine": "lab"})";
    return run;
  };
  const auto same = compare(lab({1.00, 1.04, 1.02, 1.06, 1.01}), lab({1.03, 1.01, 1.05, 1.00, 1.02}));
  EXPECT_FALSE(same.cells.at(0).is_identical);
  EXPECT_FALSE(same.cells[0].is_shown());
  ASSERT_TRUE(same.cells[0].ratio);
  EXPECT_LT(same.cells[0].ratio->low, 1);
  EXPECT_GT(same.cells[0].ratio->high, 1);
  EXPECT_EQ(undecided_cells(same, 0.0001), 1U);
  EXPECT_EQ(undecided_cells(same, 0.5), 0U);
  const auto worse = compare(lab({1.00, 1.04, 1.02, 1.06, 1.01}), lab({1.3, 1.31, 1.35, 1.32, 1.33}));
  EXPECT_TRUE(worse.cells.at(0).is_shown());
  EXPECT_GT(worse.cells[0].ratio->low, 1);
  EXPECT_EQ(undecided_cells(worse, 0.02), 0U);
}

// The same digest beside other work is not the same.
TEST(Comparison, IdenticalIsWhatDidTheSameWork) {
  auto after = three_platforms();
  after.trials[0].work.bytes = Bytes(after.trials[0].work.bytes.value / 2);
  const auto comparison = compare(three_platforms(), after);
  EXPECT_FALSE(comparison.cells[0].is_identical);
  EXPECT_TRUE(comparison.cells[0].is_shown());
  EXPECT_NEAR(worst_regression(comparison), 1, 1e-9);
}

TEST(Comparison, TellsDearerPerCallFromCalledMoreOften) {
  auto before = three_platforms(), after = dearer_netback();
  const auto netback = [](vtax::Run& run) -> FunctionCost& {
    for (FunctionCost& cost : run.trials[2].functions)
      if (cost.function == "xenvif_tx_action") return cost;
    throw std::runtime_error("no such function");
  };
  netback(before).calls = 1000;
  netback(after).calls = 1100;
  const auto often = compare(before, after).cells.at(2).functions.at(0);
  EXPECT_NEAR(often.relative_calls().value_or(0), 0.10, 1e-9);
  EXPECT_NEAR(often.relative_per_call().value_or(1), 0, 1e-4);
  netback(after).calls = 1000;
  const auto comparison = compare(before, after);
  EXPECT_NEAR(comparison.cells[2].functions[0].relative_per_call().value_or(0), 0.10, 1e-4);
  std::ostringstream text;
  write_comparison_details(comparison.cells, text);
  EXPECT_THAT(text.str(), testing::ContainsRegex("calls +per call"));
  EXPECT_THAT(text.str(), testing::ContainsRegex("xenvif_tx_action.* ~ +\\+10\\.0"));
  netback(after).calls.reset();
  EXPECT_FALSE(compare(before, after).cells[2].functions[0].relative_calls());
}

TEST(Comparison, AClonedFunctionIsTheSameFunction) {
  auto before = three_platforms(), after = three_platforms();
  const auto rename = [](vtax::Run& run, const std::string& clone) {
    for (FunctionCost& cost : run.trials[2].functions)
      if (cost.function == "xenvif_tx_action") cost.function = clone;
  };
  rename(before, "xenvif_tx_action.isra.0");
  rename(after, "xenvif_tx_action.constprop.0.isra.0");
  EXPECT_THAT(compare(before, after).cells.at(2).functions, SizeIs(0));
  scale_function(after.trials[2], "xenvif_tx_action.constprop.0.isra.0", 1.10);
  const auto changed = compare(before, after).cells.at(2).functions;
  ASSERT_THAT(changed, SizeIs(1));
  EXPECT_EQ(changed[0].name, "Domain-0 driver: xenvif_tx_action (xen_netback)");
  EXPECT_NEAR(changed[0].relative().value_or(0), 0.10, 1e-4);
}

TEST(Comparison, KnowsWhatIsUnfinishedAndWhatFailedInPart) {
  auto after = sampled({1.00, 1.04, 1.02, 1.06, 1.01});
  after.planned_trials = 7;
  make_failed(after.trials[3], "the guest hung");
  auto before = sampled({1.00, 1.04, 1.02, 1.06, 1.01});
  before.planned_trials = 5;
  const auto comparison = compare(before, after);
  EXPECT_THAT(comparison.partly_failed_after, SizeIs(1));
  EXPECT_THAT(comparison.failed_after, SizeIs(0));
  EXPECT_EQ(comparison.not_run_before, 0U);
  EXPECT_EQ(comparison.not_run_after, 2U);
  std::ostringstream text;
  write_comparison_summary(comparison, CellsShown::few, text);
  EXPECT_THAT(text.str(), HasSubstr("The second run is unfinished: 2 of its trials were not run."));
}

}  // namespace
}  // namespace vtax
