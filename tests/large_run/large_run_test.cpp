#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "record/run_writer.h"
#include "record/testing/synthetic_run.h"
#include "tests/program.h"

namespace vtax {
namespace {

// 100,000 trials as JSON: 10 seconds, 500 MB.
TEST(LargeRun, IsStreamed) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "time and memory under a sanitizer say nothing";
#endif
  if (!std::filesystem::is_directory("/dev/shm"))
    GTEST_SKIP() << "needs /dev/shm: 100,000 waits for a disk take minutes";
  std::string pattern = "/dev/shm/vtax-large-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  const std::string file = (folder / "large.vtax").string();
  constexpr std::size_t trials = 100'000;
  {
    vtax::Run run = synthetic_run();
    run.planned_trials = trials;
    auto writer = RunWriter::create(file, run);
    ASSERT_TRUE(writer) << writer.error().text();
    for (std::size_t i = 0; i < trials; ++i) {
      Trial& trial = run.trials[i % run.trials.size()];
      trial.index = i;
      trial.repetition = static_cast<int>(i / run.trials.size() % 1000) + 1;
      const auto done = writer->append(trial);
      ASSERT_TRUE(done) << done.error().text();
    }
  }
  const auto start = std::chrono::steady_clock::now();
  const auto made = run_program(VTAX_PROGRAM " report " + file + " --format json -o /dev/null");
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(made.code, 0) << made.err;
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  std::filesystem::remove_all(folder);
  EXPECT_LT(elapsed.count(), 10.0);
  EXPECT_LT(usage.ru_maxrss, 500'000);  // KB
}

}  // namespace
}  // namespace vtax
