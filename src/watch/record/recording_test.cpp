#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "core/readable.h"
#include "record/run_reader.h"
#include "watch/record/recording_reader.h"
#include "watch/record/recording_text.h"
#include "watch/record/recording_writer.h"
#include "watch/show/json.h"
#include "watch/show/testing/readings.h"

namespace vtax::watch {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

class Recording : public testing::Test {
 protected:
  Recording() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vtax-recording-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    file_ = folder_ / "r.vtax";
  }
  ~Recording() override { std::filesystem::remove_all(folder_); }

  static Reading nth(std::uint64_t n) {
    Reading reading = reading_of_two();
    reading.number = n;
    reading.at += std::chrono::seconds(n);
    reading.came = n == 2 ? std::vector<std::string>{"new"} : std::vector<std::string>();
    if (n == 3) {
      reading.guests.pop_back();
      reading.gone = {"web"};
      reading.other.idle_ns += 300'000'000;
      reading.missing.clear();
      reading.cpus.clear();
    }
    return reading;
  }

  static std::string json_of(const Reading& reading) {
    std::ostringstream out;
    write_json_line(reading, out);
    return out.str();
  }

  void write(std::uint64_t readings) {
    auto writer = RecordingWriter::create(file_, 1s);
    ASSERT_TRUE(writer) << writer.error().text();
    for (std::uint64_t n = 1; n <= readings; ++n) ASSERT_TRUE(writer->append(nth(n)));
  }

  // Their number, or the error.
  Result<std::uint64_t> read_all() {
    auto reader = RecordingReader::open(file_);
    if (!reader) return fail(reader.error());
    std::uint64_t seen = 0;
    auto read = reader->for_each([&](const Reading& reading) {
      ++seen;
      EXPECT_EQ(json_of(reading), json_of(nth(seen)));
      return Result<>();
    });
    if (!read) return fail(read.error());
    return seen;
  }

  std::filesystem::path folder_, file_;
};

TEST_F(Recording, GivesBackWhatWasRecorded) {
  write(5);
  EXPECT_TRUE(is_recording(file_));
  EXPECT_EQ(read_all().value(), 5U);
  EXPECT_FALSE(std::filesystem::exists(file_.string() + "-wal"));
}

TEST_F(Recording, ReadersOfTrialsSayWhatItIs) {
  write(1);
  const auto run = RunReader::open(file_);
  ASSERT_FALSE(run);
  EXPECT_THAT(run.error().text(), HasSubstr("it is a recording of `vtax top`"));
  EXPECT_EQ(run.error().code, ExitCode::usage);
}

TEST_F(Recording, DoesNotOverwrite) {
  write(1);
  const auto again = RecordingWriter::create(file_, 1s);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().text(), HasSubstr("it exists already\n  choose another name by --out"));
  EXPECT_EQ(read_all().value(), 1U);
}

TEST_F(Recording, NamesMayBeAnyBytes) {
  Reading reading = reading_of_two();
  reading.guests[0].name = evil_name;
  {
    auto writer = RecordingWriter::create(file_, 1s);
    ASSERT_TRUE(writer->append(reading));
  }
  auto reader = RecordingReader::open(file_);
  ASSERT_TRUE(reader);
  const auto summary = summarise(*reader, 10);
  ASSERT_TRUE(summary) << summary.error().text();
  std::ostringstream out;
  write_recording(*summary, out);
  write_recording_comparison(*summary, *summary, out);
  EXPECT_EQ(printable_lines(out.str()), out.str());
}

TEST_F(Recording, AKillLosesNoReadingThatWasRecorded) {
  int told[2];
  ASSERT_EQ(pipe(told), 0);
  const pid_t child = fork();
  if (child == 0) {
    auto writer = RecordingWriter::create(file_, 1s);
    for (std::uint64_t n = 1; writer && writer->append(nth(n)); ++n)
      if (::write(told[1], "x", 1) != 1) break;
    _exit(1);
  }
  char buffer[64];
  std::uint64_t recorded = 0;
  while (recorded < 50) recorded += static_cast<std::uint64_t>(read(told[0], buffer, 1));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  ::close(told[1]);
  for (ssize_t got; (got = read(told[0], buffer, sizeof buffer)) > 0;)
    recorded += static_cast<std::uint64_t>(got);
  ::close(told[0]);
  const auto read = read_all();
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_GE(*read, recorded);
  EXPECT_LE(*read, recorded + 1);
}

TEST_F(Recording, AFullDiskEndsWithWordsAndKeepsWhatWasThere) {
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    auto writer = RecordingWriter::create(file_, 1s);
    const rlimit limit{300'000, 300'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    for (std::uint64_t n = 1; n < 100'000; ++n) {
      const auto done = writer->append(nth(n));
      if (done) continue;
      const std::string text = done.error().text();
      _exit(done.error().code == ExitCode::io && n > 10 && text.find("cannot write recording") == 0 &&
                    text.find("--resume") == std::string::npos
                ? 0
                : 1);
    }
    _exit(2);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  const auto read = read_all();
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_GT(*read, 10U);
}

TEST_F(Recording, ABitThatChangedIsFound) {
  write(20);
  std::ifstream in(file_, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  std::mt19937 random(7);
  int found = 0;
  for (int i = 0; i < 300; ++i) {
    std::string damaged = whole;
    const std::size_t place = random() % damaged.size();
    damaged[place] = static_cast<char>(damaged[place] ^ (1 << (random() % 8)));
    std::ofstream(file_, std::ios::binary) << damaged;
    // What is read is what was recorded, or an error: read_all() compares. Header and free space may differ.
    const auto read = read_all();
    if (read) {
      EXPECT_EQ(*read, 20U);
    } else {
      ++found;
      EXPECT_EQ(read.error().code, ExitCode::usage) << read.error().text();
    }
  }
  EXPECT_GT(found, 50);  // the rest is free space
}

TEST_F(Recording, ReportHasTotalsThatAddUpAndTheCourse) {
  write(100);
  auto reader = RecordingReader::open(file_);
  const auto summary = summarise(*reader, kCourseSlices);
  ASSERT_TRUE(summary) << summary.error().text();
  std::ostringstream out;
  write_recording(*summary, out);
  const std::string text = out.str();
  // 99 readings of web, of 0.25 s own and 0.05 s caused each.
  EXPECT_THAT(text, HasSubstr("100 readings, 1.00 s apart"));
  EXPECT_THAT(text, testing::ContainsRegex("web +kvm +24.75 +4.95 +29.7 +30.0"));
  EXPECT_THAT(text, testing::ContainsRegex("box +cont +10.00 +0.00 +10.0 +10.0 +- +- +- +- +-"));
  EXPECT_THAT(text, HasSubstr("They add up to all CPUs' time, 200.00 s."));
  EXPECT_THAT(text, HasSubstr("missing: Guests' disks"));
  EXPECT_LE(summary->course.size(), kCourseSlices);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(vtax::columns(line), 88U) << line;
}

TEST_F(Recording, ComparisonSetsGuestsSideBySide) {
  write(2);
  auto reader = RecordingReader::open(file_);
  const auto before = summarise(*reader, 1);
  auto after = *before;
  after.guests["web"].own_ns *= 2;
  after.guests.erase("box");
  std::ostringstream out;
  write_recording_comparison(*before, after, out);
  EXPECT_THAT(out.str(), testing::ContainsRegex("web +25.0 +50.0 +5.0 +5.0 +30.0 +55.0 +\\+83.3 %"));
  EXPECT_THAT(out.str(), testing::ContainsRegex("box +10.0 +- +0.0 +- +10.0 +- +not in B"));
}

TEST_F(Recording, WithoutAReadingIsSaid) {
  write(0);
  auto reader = RecordingReader::open(file_);
  ASSERT_TRUE(reader) << reader.error().text();
  const auto summary = summarise(*reader, 1);
  ASSERT_FALSE(summary);
  EXPECT_THAT(summary.error().text(), HasSubstr("before its first reading"));
}

}  // namespace
}  // namespace vtax::watch
