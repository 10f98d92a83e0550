#include "workload/local/disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "workload/local/block_order.h"
#include "workload/local/disk_file.h"
#include "workload/local/fio_json.h"
#include "workload/local/sector_pattern.h"

namespace vtax {
namespace {

class Disk : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "disk-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    options_.file = folder_ / "file";
    options_.size = 1 << 20;
    options_.block = 4096;
  }
  void TearDown() override {
    EXPECT_TRUE(std::filesystem::is_empty(folder_)) << "a file stayed";
    std::filesystem::remove_all(folder_);
  }
  ExitCode code_of(const DiskOptions& options) {
    const auto done = run_disk(options);
    if (done) return ExitCode::ok;
    EXPECT_FALSE(done.error().what.empty());
    return done.error().code;
  }

  std::filesystem::path folder_;
  DiskOptions options_;
};

TEST_F(Disk, ImpossibleOptionsAreUsageErrors) {
  constexpr std::uint64_t kHuge = std::uint64_t{1} << 63;
  const auto with = [&](auto change) {
    DiskOptions options = options_;
    change(options);
    return code_of(options);
  };
  EXPECT_EQ(with([](auto& o) { o.file.clear(); }), ExitCode::usage);
  EXPECT_EQ(with([](auto& o) { o.size = 0; }), ExitCode::usage);
  EXPECT_EQ(with([](auto& o) { o.size = kHuge; }), ExitCode::usage);
  EXPECT_EQ(with([](auto& o) { o.size += 512; }), ExitCode::usage);
  EXPECT_EQ(with([](auto& o) { o.block = 0; }), ExitCode::usage);
  EXPECT_EQ(with([](auto& o) { o.block = kHuge; }), ExitCode::usage);
  EXPECT_EQ(with([](auto& o) { o.block = 1000; }), ExitCode::usage);
  EXPECT_EQ(with([](auto& o) { o.depth = 0; }), ExitCode::usage);
  EXPECT_EQ(with([](auto& o) { o.depth = kHuge, o.direct = true; }), ExitCode::usage);
  EXPECT_EQ(with([](auto& o) { o.depth = 4; }), ExitCode::usage);
  EXPECT_EQ(with([](auto& o) { o.duration = std::chrono::nanoseconds(-1); }), ExitCode::usage);
}

TEST_F(Disk, WhatIsThereIsRefusedAndLeftAlone) {
  std::ofstream(folder_ / "mine") << "mine";
  std::filesystem::create_symlink(folder_ / "elsewhere", folder_ / "link");
  for (const std::string& file : {(folder_ / "mine").string(), (folder_ / "link").string(),
                                  std::string("/dev/null"), folder_.string()}) {
    options_.file = file;
    EXPECT_EQ(code_of(options_), ExitCode::usage) << file;
  }
  EXPECT_EQ(std::filesystem::file_size(folder_ / "mine"), 4U);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "elsewhere"));
  std::filesystem::remove(folder_ / "mine");
  std::filesystem::remove(folder_ / "link");
  options_.file = folder_ / "no" / "folder";
  EXPECT_EQ(code_of(options_), ExitCode::io);
}

TEST_F(Disk, AnExistingFileIsUsedOnlyWhenAskedAndNeverGrowsOrGoes) {
  const auto mine = folder_ / "mine";
  std::ofstream(mine) << std::string(16384, 'm');
  const auto bytes_of = [&] {
    std::ifstream in(mine);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  options_.file = mine;
  options_.size = 8192;
  options_.existing = true;
  const auto read = run_disk(options_);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->bytes.value, 8192U);
  EXPECT_EQ(read->details.at("warnings").size() > 0, true) << "it does not say that nothing was checked";
  EXPECT_EQ(bytes_of(), std::string(16384, 'm'));
  options_.size = 32768;
  for (const DiskOperation operation : {DiskOperation::read, DiskOperation::write}) {
    options_.operation = operation;
    EXPECT_EQ(code_of(options_), ExitCode::usage) << "it is too short";
  }
  options_.size = 8192;
  const auto written = run_disk(options_);
  ASSERT_TRUE(written) << written.error().text();
  EXPECT_NE(bytes_of().substr(0, 8192), std::string(8192, 'm'));
  EXPECT_EQ(bytes_of().substr(8192), std::string(8192, 'm'));
  std::filesystem::remove(mine);
  EXPECT_EQ(code_of(options_), ExitCode::io) << "it is not there";
}

TEST_F(Disk, DevicesAreNotWrittenToByTheWay) {
  options_.existing = true;
  for (const std::string& file : {std::string("/dev/null"), std::string("/dev/tty"), folder_.string()}) {
    options_.file = file;
    EXPECT_EQ(code_of(options_), ExitCode::usage) << file;
  }
  options_.existing = false;
  options_.device = true;
  options_.file = folder_ / "new";
  EXPECT_EQ(code_of(options_), ExitCode::usage);
  for (const auto& entry : std::filesystem::directory_iterator("/dev")) {
    std::error_code unknown;
    if (!entry.is_block_file(unknown)) continue;
    const auto refused = DiskFile::existing(entry.path(), 4096, {true, false});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ExitCode::usage);
    EXPECT_NE(refused.error().next.find("--really-write-device"), std::string::npos);
    break;
  }
}

TEST_F(Disk, EachBlockIsReadOrWrittenOnce) {
  for (const DiskPattern pattern : {DiskPattern::sequential, DiskPattern::random}) {
    for (const DiskOperation operation : {DiskOperation::read, DiskOperation::write}) {
      DiskOptions options = options_;
      options.pattern = pattern;
      options.operation = operation;
      options.verify_all = true;
      const auto done = run_disk(options);
      ASSERT_TRUE(done) << done.error().text();
      EXPECT_EQ(done->bytes.value, options.size);
      EXPECT_EQ(done->transactions.value, options.size / options.block);
      EXPECT_EQ(done->latency->count(), done->transactions.value);
      EXPECT_EQ(done->metrics.at(0).name, pattern == DiskPattern::random ? "iops" : "throughput");
    }
  }
}

TEST_F(Disk, DirectWithSeveralInFlight) {
  for (const DiskOperation operation : {DiskOperation::read, DiskOperation::write}) {
    for (const DiskSync sync : {DiskSync::end, DiskSync::each}) {
      DiskOptions options = options_;
      options.size = 128 << 10;
      options.pattern = DiskPattern::random;
      options.operation = operation;
      options.direct = true;
      options.depth = 8;
      options.sync = sync;
      options.verify_all = true;
      const auto done = run_disk(options);
      if (!done && done.error().code == ExitCode::unavailable) GTEST_SKIP() << done.error().text();
      ASSERT_TRUE(done) << done.error().text();
      EXPECT_EQ(done->bytes.value, options.size);
      EXPECT_EQ(done->latency->count(), 32U);
    }
  }
}

TEST_F(Disk, ADurationGoesOverTheFileAgain) {
  options_.size = 16 << 10;
  options_.duration = std::chrono::milliseconds(50);
  const auto done = run_disk(options_);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_GT(done->bytes.value, options_.size);
  EXPECT_GE(done->duration, options_.duration);
}

TEST_F(Disk, AFileThatMayNotGrowIsAClearError) {
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);  // as catch_interruptions() does
  const rlimit small{300 << 10, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  for (const DiskPattern pattern : {DiskPattern::sequential, DiskPattern::random}) {
    for (const DiskOperation operation : {DiskOperation::read, DiskOperation::write}) {
      DiskOptions options = options_;
      options.pattern = pattern;
      options.operation = operation;
      const auto done = run_disk(options);
      EXPECT_FALSE(done);
      if (done) continue;
      EXPECT_EQ(done.error().code, ExitCode::io);
      EXPECT_NE(done.error().next.find("--size"), std::string::npos) << done.error().text();
    }
  }
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
}

TEST_F(Disk, TheFileIsGoneWhileItIsUsed) {
  const auto file = DiskFile::make(options_.file);
  ASSERT_TRUE(file) << file.error().text();
  EXPECT_FALSE(std::filesystem::exists(options_.file));
  struct stat status {};
  fstat(file->fd(), &status);
  EXPECT_EQ(status.st_nlink, 0U);
}

TEST_F(Disk, FioReadsItsNames) {
  options_.pattern = DiskPattern::random;
  const auto done = run_disk(options_);
  ASSERT_TRUE(done);
  Outcome outcome;
  outcome.options = {{"operation", "read"}};
  outcome.repeats = {{*done}};
  const auto json = nlohmann::json::parse(fio_json(outcome));
  const auto& job = json.at("jobs").at(0);
  EXPECT_EQ(job.at("read").at("io_bytes"), options_.size);
  EXPECT_EQ(job.at("write").at("io_bytes"), 0);
  EXPECT_NEAR(job.at("read").at("bw_bytes").get<double>(),
              job.at("read").at("iops").get<double>() * static_cast<double>(options_.block), 1);
  const auto& latency = job.at("read").at("clat_ns");
  EXPECT_LE(latency.at("min"), latency.at("percentile").at("50.000000"));
  EXPECT_LE(latency.at("percentile").at("99.000000"), latency.at("max"));
  EXPECT_TRUE(job.contains("usr_cpu") && job.contains("sys_cpu"));
}

TEST(BlockOrder, VisitsEachBlockOnceInAnOrderThatTheKeySets) {
  for (const std::uint64_t blocks : {1U, 2U, 3U, 5U, 64U, 1000U}) {
    std::set<std::uint64_t> seen;
    bool moved = false, differs = false;
    const BlockOrder order = BlockOrder::random(blocks, 7), same = BlockOrder::random(blocks, 7),
                     other = BlockOrder::random(blocks, 8);
    for (std::uint64_t k = 0; k < blocks; ++k) {
      EXPECT_LT(order.at(k), blocks);
      EXPECT_EQ(order.at(k), same.at(k));
      seen.insert(order.at(k));
      moved = moved || order.at(k) != k;
      differs = differs || order.at(k) != other.at(k);
    }
    EXPECT_EQ(seen.size(), blocks);
    EXPECT_TRUE(blocks < 64 || (moved && differs));
  }
}

TEST(SectorPattern, FindsASectorThatIsMisplacedOrDamaged) {
  SectorPattern pattern(1, 8192);
  std::vector<std::uint8_t> block(8192);
  const std::uint64_t offset = 3 * SectorPattern::kPeriod - 4096;  // over the table's end
  pattern.fill(block.data(), block.size(), offset);
  EXPECT_EQ(std::memcmp(block.data(), pattern.content(8192, offset), 8192), 0);
  EXPECT_FALSE(pattern.wrong_byte(block.data(), block.size(), offset));
  EXPECT_EQ(pattern.wrong_tag(block.data(), block.size(), offset + 8192), 0U);
  block[1000] ^= 1;
  EXPECT_FALSE(pattern.wrong_tag(block.data(), block.size(), offset));
  EXPECT_EQ(pattern.wrong_byte(block.data(), block.size(), offset), 512U);
  EXPECT_TRUE(SectorPattern(2, 512).wrong_tag(block.data(), 512, offset));
}

// A number of blocks in place of a time: passes over the file, the last one in part.
TEST_F(Disk, DoesSoManyBlocks) {
  options_.window = true;
  for (const DiskOperation operation : {DiskOperation::write, DiskOperation::read}) {
    for (const std::uint64_t blocks : {1U, 256U, 600U}) {
      options_.operation = operation;
      options_.blocks = blocks;
      const auto report = run_disk(options_);
      ASSERT_TRUE(report) << report.error().text();
      EXPECT_EQ(report->transactions, Transactions(blocks));
      EXPECT_EQ(report->bytes, Bytes(blocks * 4096));
      EXPECT_FALSE(report->latency && report->latency->count() > 0) << "no clock is read in a window";
    }
  }
  options_.duration = std::chrono::seconds(1);
  EXPECT_EQ(code_of(options_), ExitCode::usage);
}

TEST_F(Disk, FillsAnExistingFileThatItReads) {
  const auto file = folder_ / "existing";
  std::ofstream(file) << std::string(1 << 20, 'x');
  options_.file = file;
  options_.existing = options_.fill = true;
  options_.verify_all = true;
  const auto report = run_disk(options_);
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report->bytes, Bytes(1 << 20));
  EXPECT_NE(std::ifstream(file).get(), 'x');
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace vtax
