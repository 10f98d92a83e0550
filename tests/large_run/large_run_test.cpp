#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <functional>
#include <iostream>
#include <string>

#include "record/run_writer.h"
#include "record/testing/synthetic_run.h"

namespace vtax {
namespace {

// Runs of many trials, in a folder of memory.
class LargeRun : public testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "time and memory under a sanitizer say nothing";
#endif
    if (!std::filesystem::is_directory("/dev/shm"))
      GTEST_SKIP() << "needs /dev/shm: 100,000 waits for a disk take minutes";
    std::string pattern = "/dev/shm/vtax-cells-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  [[nodiscard]] std::string made(const std::string& name, std::size_t trials,
                                 const std::function<Trial(std::size_t)>& trial_at) const {
    const std::string file = (folder_ / (name + ".vtax")).string();
    vtax::Run run = synthetic_header();
    run.planned_trials = trials;
    auto writer = RunWriter::create(file, run);
    EXPECT_TRUE(writer);
    for (std::size_t i = 0; i < trials; ++i) {
      const auto done = writer->append(trial_at(i));
      if (!done) {
        ADD_FAILURE() << done.error().text();
        break;
      }
    }
    return file;
  }

  // Of as many cells as trials.
  [[nodiscard]] std::string made_of_cells(std::size_t cells, bool has_failed) const {
    return made(fmt::format("{}{}", cells, has_failed ? "-failed" : ""), cells, [&](std::size_t i) {
      Trial trial = synthetic_cell(i);
      if (has_failed) make_failed(trial, "the guest hung");
      return trial;
    });
  }

  struct Cost {
    double cpu_seconds = 0;
    long peak_kilobytes = 0;
  };
  // Of CPU: other programs may run beside this one.
  [[nodiscard]] static Cost report(const std::string& file, const std::string& format) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::execl(VTAX_PROGRAM, VTAX_PROGRAM, "report", file.c_str(), "--format", format.c_str(), "-o",
              "/dev/null", nullptr);
      ::_exit(127);
    }
    int status = 0;
    rusage usage{};
    EXPECT_EQ(::wait4(child, &status, 0, &usage), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << format;
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return {seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss};
  }

  std::filesystem::path folder_;
};

constexpr std::array kFormats{"table",      "json",     "ndjson",      "html",   "csv",
                              "csv-ledger", "markdown", "openmetrics", "trials", "svg"};

// 100,000 trials of 60 cells.
TEST_F(LargeRun, IsStreamed) {
  const vtax::Run run = synthetic_run();
  const std::string file = made("repeated", 100'000, [&](std::size_t i) {
    Trial trial = run.trials[i % run.trials.size()];
    trial.index = i;
    trial.repetition = static_cast<int>(i / run.trials.size() % 1000) + 1;
    return trial;
  });
  const Cost cost = report(file, "json");
  EXPECT_LT(cost.cpu_seconds, 20);  // 7 on a computer that does nothing else
  EXPECT_LT(cost.peak_kilobytes, 20'000);
}

// Four times the cells take four times as long, and not sixteen; ended and failed.
TEST_F(LargeRun, TakesTimeInProportion) {
  constexpr std::size_t kFew = 3'000;
  for (const bool has_failed : {false, true}) {
    const std::string small = made_of_cells(kFew, has_failed), large = made_of_cells(4 * kFew, has_failed);
    for (const std::string format : kFormats) {
      if (format == "svg" && has_failed) continue;  // there is nothing to draw
      const double once = report(small, format).cpu_seconds, more = report(large, format).cpu_seconds;
      EXPECT_LT(more, 8 * once + 0.2) << format << (has_failed ? ", failed" : "") << ": " << once << " s";
    }
  }
}

TEST_F(LargeRun, OfAHundredThousandIsWithinTimeAndMemory) {
  const std::string file = made_of_cells(100'000, false);
  for (const char* format : kFormats) {
    const Cost cost = report(file, format);
    std::cout << fmt::format("{}: {:.1f} s of CPU, {} MB\n", format, cost.cpu_seconds,
                             cost.peak_kilobytes / 1000);
    EXPECT_LT(cost.cpu_seconds, 30) << format;  // 6 to 13 on a computer that does nothing else
    EXPECT_LT(cost.peak_kilobytes, 500'000) << format;
  }
}

}  // namespace
}  // namespace vtax
