#include "query/cell.h"

#include <gtest/gtest.h>

#include "query/testing/run_on_disk.h"
#include "record/testing/synthetic_run.h"

namespace vtax {
namespace {

// A cell whose repetitions cost so many times the first one's work.
Cell cell_of(const std::vector<double>& factors) {
  Run run = synthetic_header();
  const Trial one = synthetic_run().trials[56];
  for (const double factor : factors) {
    Trial trial = one;
    trial.index = run.trials.size();
    trial.repetition = static_cast<int>(trial.index) + 1;
    scale_function(trial, "xenvif_tx_action", factor);
    run.trials.push_back(std::move(trial));
  }
  const RunOnDisk disk(run);
  auto reader = disk.reader();
  const auto costs = read_costs(reader);
  EXPECT_TRUE(costs) << costs.error().text();
  return costs->cells.at(0);
}

TEST(Cell, ShowsTheRunInTheMiddle) {
  EXPECT_EQ(cell_of({5, 1, 3, 2, 4}).median, 2U);
  EXPECT_EQ(cell_of({7}).median, 0U);
}

TEST(Cell, ShowsTheCheaperOfTwoInTheMiddle) {
  EXPECT_EQ(cell_of({4, 1, 3, 2}).median, 3U);
  EXPECT_EQ(cell_of({2, 1}).median, 1U);
}

}  // namespace
}  // namespace vtax
