#include "report/cell_csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "query/testing/run_on_disk.h"
#include "record/testing/synthetic_run.h"

namespace vtax {
namespace {

// By column name; none of the run's texts has a comma or a quote.
std::vector<std::map<std::string, std::string>> rows_of(const Run& run) {
  const RunOnDisk disk(run);
  auto reader = disk.reader();
  std::stringstream out;
  const auto written = write_cell_csv(reader, out);
  EXPECT_TRUE(written) << written.error().text();
  std::vector<std::string> names;
  std::vector<std::map<std::string, std::string>> rows;
  for (std::string line; std::getline(out, line);) {
    EXPECT_EQ(line.back(), '\r');
    line.back() = ',';
    std::vector<std::string> fields;
    for (std::size_t at = 0, end = 0; (end = line.find(',', at)) != std::string::npos; at = end + 1)
      fields.push_back(line.substr(at, end - at));
    if (names.empty()) {
      names = fields;
      continue;
    }
    EXPECT_EQ(fields.size(), names.size());
    rows.emplace_back();
    for (std::size_t i = 0; i < names.size(); ++i) rows.back()[names[i]] = fields[i];
  }
  return rows;
}

TEST(CellCsv, HasARowForEachCellAndLayerThatAddUp) {
  const vtax::Run run = synthetic_run();
  const auto rows = rows_of(run);
  ASSERT_EQ(rows.size(), 60U * 6U);
  double sum = 0;
  for (const auto& row : rows) {
    if (row.at("platform") != "xen-pv" || row.at("workload") != "tcp-rr" || row.at("topology") != "card" ||
        row.at("offloads") != "off")
      continue;
    EXPECT_EQ(row.at("unit_of_work"), "transaction");
    sum += std::stod(row.at("instructions_per_unit"));
    EXPECT_NEAR(std::stod(row.at("tax_times")), 5.06, 0.01);
    EXPECT_EQ(row.at("tax_low_times"), "");  // of one repetition nobody knows it
    EXPECT_EQ(row.at("repetitions"), "1");
  }
  const Trial& xen = run.trials[59];
  ASSERT_EQ(xen.factors.at("workload"), "tcp-rr");
  EXPECT_NEAR(sum,
              static_cast<double>(xen.machine_total.value) / static_cast<double>(xen.work.transactions.value),
              1e-6);
}

TEST(CellCsv, ARealHostsCostIsTime) {
  vtax::Run run = synthetic_run();
  run.settings = R"({"machine": "host"})";
  for (Trial& trial : run.trials) make_host(trial);
  EXPECT_TRUE(rows_of(run).front().contains("cpu_ns_per_unit"));
}

TEST(CellCsv, ACellThatFailedIsARowWithoutFigures) {
  vtax::Run run = synthetic_run();
  run.trials.resize(1);
  make_failed(run.trials[0], "the guest hung");
  const auto rows = rows_of(run);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].at("repetitions"), "0");
  EXPECT_EQ(rows[0].at("layer"), "");
  EXPECT_EQ(rows[0].at("total_instructions_per_unit"), "");
}

}  // namespace
}  // namespace vtax
