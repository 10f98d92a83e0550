#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "record/run_reader.h"
#include "record/run_writer.h"
#include "record/testing/synthetic_run.h"

namespace vtax {

// One of each platform: an append waits for the disk.
inline vtax::Run three_trials() {
  vtax::Run run = synthetic_run();
  run.trials = {run.trials[0], run.trials[20], run.trials[40]};
  return run;
}

inline Timeline two_slices_of(const Trial& trial) {
  Timeline timeline;
  timeline.end_ns = {10, 30};
  for (const LedgerEntry& e : trial.ledger)
    if (e.kind == "instructions")
      timeline.rows.push_back({e.cpu, e.domain, e.layer, e.part, {e.value / 3, e.value - e.value / 3}});
  for (const GuestWork& g : trial.guests)
    timeline.work.push_back({g.guest, {0, g.bytes.value}, {g.transactions.value, 0}});
  return timeline;
}

// As read and as written.
inline void expect_equal(const Trial& a, const Trial& b) {
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

class RunFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/vtax-run-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    file_ = folder_ / "r.vtax";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const vtax::Run& run) const {
    auto writer = RunWriter::create(file_, run);
    ASSERT_TRUE(writer) << writer.error().text();
    for (const Trial& trial : run.trials) {
      const auto done = writer->append(trial);
      ASSERT_TRUE(done) << done.error().text();
    }
  }

  // The file is read, and has the run's trials as they are there.
  void expect_kept(const vtax::Run& run) const {
    auto reader = RunReader::open(file_);
    ASSERT_TRUE(reader) << reader.error().text();
    const auto read = reader->all();
    ASSERT_TRUE(read) << read.error().text();
    ASSERT_EQ(read->trials.size(), run.trials.size());
    for (std::size_t i = 0; i < run.trials.size(); ++i) expect_equal(read->trials[i], run.trials[i]);
  }

  // As another program would change the file.
  void sql(const std::string& text) const {
    sqlite3* connection = nullptr;
    ASSERT_EQ(sqlite3_open(file_.c_str(), &connection), SQLITE_OK);
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(connection, text.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message;
    sqlite3_close(connection);
  }

  [[nodiscard]] std::string reading_error() const {
    auto reader = RunReader::open(file_);
    if (!reader) return reader.error().text();
    auto run = reader->all();
    return run ? "no error" : run.error().text();
  }

  std::filesystem::path folder_, file_;
};

}  // namespace vtax
