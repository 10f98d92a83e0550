#include "report/ledger_csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "query/testing/run_on_disk.h"
#include "record/testing/synthetic_run.h"
#include "tests/golden.h"

namespace vtax {
namespace {

std::string ledger_csv_of(const Run& run) {
  const RunOnDisk disk(run);
  auto reader = disk.reader();
  std::ostringstream out;
  const auto written = write_ledger_csv(reader, out);
  EXPECT_TRUE(written) << written.error().text();
  return out.str();
}

TEST(LedgerCsv, IsAsItWas) {
  auto run = synthetic_run();
  run.trials = {run.trials[0], run.trials[44]};
  expect_golden(ledger_csv_of(run), "report.csv");
}

TEST(LedgerCsv, AnUnknownCpuIsEmpty) {
  auto run = synthetic_run();
  run.trials = {run.trials[0]};
  add_uncharged(run.trials[0], Instructions(3));
  EXPECT_THAT(ledger_csv_of(run), testing::HasSubstr(",,unknown,uncharged,,instructions,3\r\n"));
}

TEST(LedgerCsv, QuotesAndFailuresAreOneRowEach) {
  auto run = synthetic_run();
  run.trials = {run.trials[0]};
  run.trials[0].factors["offloads"] = "=cmd(\"x\"),\n";
  make_failed(run.trials[0], "panic, \"dead\"");
  EXPECT_EQ(
      ledger_csv_of(run),
      "trial,repetition,bytes,direction,offloads,platform,topology,warmup_bytes,workload,write_bytes,error,"
      "digest,work_bytes,work_packets,work_transactions,machine_instructions,cpu,domain,layer,part,kind,"
      "value\r\n"
      "1,1,8388608,receive,\"'=cmd(\"\"x\"\"),\n\",native,inside,1048576,tcp-stream,1448,\"panic, "
      "\"\"dead\"\"\","
      ",,,,,,,,,,\r\n");
}

}  // namespace
}  // namespace vtax
