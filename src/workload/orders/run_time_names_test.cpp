#include "workload/orders/run_time_names.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "workload/orders/program_confinement.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;

class RunTimeNames : public testing::Test {
 protected:
  static constexpr pid_t kFirst = 40'000'000;  // numbers that no process has

  void SetUp() override {
    confine_programs(place);
    fs::create_directories(folder);
  }
  void TearDown() override { fs::remove_all(place); }
  [[nodiscard]] fs::path map_of(pid_t process) const {
    return folder / ("perf-" + std::to_string(process) + ".map");
  }
  [[nodiscard]] static std::string names() {
    return run_time_names_of([](pid_t process) { return process >= kFirst; });
  }

  const std::string place = testing::TempDir() + "vtax-run-time-" + std::to_string(getpid());
  const fs::path folder = place + "/root/tmp";
};

TEST_F(RunTimeNames, AreThoseOfTheWantedProcessesWholeLines) {
  std::ofstream(map_of(kFirst)) << "1000 10 one\n2000 10 unfin";
  std::ofstream(map_of(kFirst + 1)) << "3000 10 two of a child\n";
  EXPECT_EQ(names(), "1000 10 one\n3000 10 two of a child\n");
  EXPECT_EQ(run_time_names_of([](pid_t process) { return process == kFirst + 1; }),
            "3000 10 two of a child\n");
}

TEST_F(RunTimeNames, OfALongFileAreItsLastOnes) {
  std::ofstream file(map_of(kFirst));
  for (int i = 1; i <= 20'000; ++i) file << std::hex << i * 0x100 << " 10 function " << i << "\n";
  file.close();
  const std::string text = names();
  EXPECT_LE(text.size(), kMostRunTimeBytes);
  EXPECT_EQ(text.find("function 1\n"), std::string::npos);
  EXPECT_NE(text.find("function 4e20\n"), std::string::npos);
}

TEST_F(RunTimeNames, FollowNoLinkAndWaitAtNoPipe) {
  std::ofstream(map_of(kFirst + 4)) << "1000 10 real\n";
  fs::create_symlink(map_of(kFirst + 4).filename(), map_of(kFirst + 1));
  ASSERT_EQ(mkfifo(map_of(kFirst + 2).c_str(), 0600), 0);
  fs::create_directory(map_of(kFirst + 3));
  EXPECT_EQ(run_time_names_of([](pid_t process) { return process >= kFirst && process < kFirst + 4; }), "");
  EXPECT_EQ(names(), "1000 10 real\n");
}

}  // namespace
}  // namespace vtax
