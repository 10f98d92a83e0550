#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "record/run_reader.h"
#include "record/run_writer.h"

namespace vtax {

// A run written to a file of its own, which goes with the object.
class RunOnDisk {
 public:
  explicit RunOnDisk(const Run& run) {
    std::string pattern = ::testing::TempDir() + "/vtax-report-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    auto writer = RunWriter::create(file(), run);
    if (!writer) ADD_FAILURE() << writer.error().text();
    for (const Trial& trial : run.trials) {
      const auto done = writer->append(trial);
      if (!done) ADD_FAILURE() << done.error().text();
    }
  }
  ~RunOnDisk() { std::filesystem::remove_all(folder_); }
  RunOnDisk(const RunOnDisk&) = delete;
  RunOnDisk& operator=(const RunOnDisk&) = delete;

  [[nodiscard]] std::filesystem::path file() const { return folder_ / "r.vtax"; }
  [[nodiscard]] RunReader reader() const { return RunReader::open(file()).value(); }

 private:
  std::filesystem::path folder_;
};

}  // namespace vtax
