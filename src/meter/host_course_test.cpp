#include "meter/host_course.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "meter/host_ledger.h"
#include "meter/ledger_rows_for_test.h"
#include "record/trial_check.h"

namespace vtax::meter {
namespace {

using Role = MeteredProcess::Role;
using Column = std::vector<std::uint64_t>;

LedgerEntry entry(int cpu, const std::string& domain, Layer layer, std::uint64_t ns, Part part = Part::none) {
  return {cpu, domain, layer, part, kCpuTimeKind, ns};
}

Column row(const Timeline& timeline, int cpu, const std::string& domain, Layer layer,
           bool with_program = false) {
  for (const Timeline::Row& one : timeline.rows)
    if (one.cpu == cpu && one.domain == domain && one.layer == layer && one.with_program == with_program)
      return one.cost;
  return {};
}

// Whether a run file would take it, with the window's ledger.
bool adds_up(const Timeline& timeline, const std::vector<LedgerEntry>& window) {
  Trial trial;
  trial.factors = {{"platform", "native"}, {"workload", "tcp-stream"}};
  trial.digest = std::string(64, 'a');
  trial.ledger = window;
  trial.timeline = timeline;
  return check(trial).has_value();
}

TEST(HostCourse, ASliceIsWhatOneLedgerHasMoreThanTheOneBefore) {
  const std::vector<LedgerEntry> first{entry(0, "host", Layer::kernel, 100 * kMs),
                                       entry(0, "host", Layer::program, 50 * kMs),
                                       entry(0, "idle", Layer::idle, 100 * kMs)},
      second{entry(0, "host", Layer::kernel, 180 * kMs), entry(0, "host", Layer::program, 90 * kMs),
             entry(0, "elsewhere", Layer::elsewhere, 20 * kMs), entry(0, "idle", Layer::idle, 210 * kMs)};
  const Timeline timeline = host_course({{250 * kMs, first}, {500 * kMs, second}});
  EXPECT_TRUE(timeline.in_time);
  EXPECT_EQ(timeline.end_ns, (Column{250 * kMs, 500 * kMs}));
  EXPECT_EQ(row(timeline, 0, "host", Layer::kernel), (Column{100 * kMs, 80 * kMs}));
  EXPECT_EQ(row(timeline, 0, "host", Layer::program), (Column{50 * kMs, 40 * kMs}));
  EXPECT_EQ(row(timeline, 0, "elsewhere", Layer::elsewhere), (Column{0, 20 * kMs}));
  EXPECT_EQ(row(timeline, 0, "idle", Layer::idle), (Column{100 * kMs, 110 * kMs}));
  EXPECT_TRUE(adds_up(timeline, second));
}

// The window was 500 ms: two ticks and a half a slice.
TEST(HostCourse, WithFewTicksASliceKernelAndProgramAreOne) {
  const std::vector<LedgerEntry> first{entry(0, "host", Layer::uncharged, 30 * kMs)},
      second{entry(0, "host", Layer::kernel, 40 * kMs), entry(0, "host", Layer::program, 10 * kMs)};
  const Timeline timeline = host_course({{250 * kMs, first}, {500 * kMs, second}});
  EXPECT_EQ(row(timeline, 0, "host", Layer::kernel, true), (Column{30 * kMs, 20 * kMs}));
  EXPECT_EQ(timeline.rows.size(), 1U);
  EXPECT_TRUE(adds_up(timeline, second));
}

TEST(HostCourse, AGuestIsOneLayerAndTheDriverToo) {
  const std::vector<LedgerEntry> first{entry(1, "guest1", Layer::kernel, 200 * kMs),
                                       entry(1, "host", Layer::driver, 20 * kMs, Part::kernel),
                                       entry(1, "host", Layer::uncharged, 3 * kMs)},
      second{entry(1, "guest1", Layer::kernel, 300 * kMs), entry(1, "guest1", Layer::program, 90 * kMs),
             entry(1, "host", Layer::driver, 60 * kMs, Part::kernel),
             entry(1, "host", Layer::driver, 10 * kMs, Part::program),
             entry(1, "host", Layer::uncharged, 3 * kMs)};
  const Timeline timeline = host_course({{250 * kMs, first}, {500 * kMs, second}});
  EXPECT_EQ(row(timeline, 1, "guest1", Layer::kernel, true), (Column{200 * kMs, 190 * kMs}));
  EXPECT_EQ(row(timeline, 1, "host", Layer::driver), (Column{20 * kMs, 50 * kMs}));
  EXPECT_EQ(row(timeline, 1, "host", Layer::uncharged), (Column{3 * kMs, 0}));
  EXPECT_TRUE(adds_up(timeline, second));
}

// Ticks said 120 ms of kernel, and later that 10 of them were the program's.
TEST(HostCourse, WhatIsTakenBackIsNeverNegative) {
  const std::vector<LedgerEntry> one{entry(0, "host", Layer::kernel, 120 * kMs)},
      two{entry(0, "host", Layer::kernel, 110 * kMs), entry(0, "host", Layer::program, 200 * kMs)},
      three{entry(0, "host", Layer::kernel, 115 * kMs), entry(0, "host", Layer::program, 300 * kMs)};
  const Timeline timeline = host_course({{200 * kMs, one}, {400 * kMs, two}, {600 * kMs, three}});
  EXPECT_EQ(row(timeline, 0, "host", Layer::kernel), (Column{115 * kMs, 0, 0}));
  EXPECT_EQ(row(timeline, 0, "host", Layer::program), (Column{0, 200 * kMs, 100 * kMs}));
  EXPECT_TRUE(adds_up(timeline, three));
}

TEST(HostCourse, WithoutReadingsWithinThereIsNone) {
  EXPECT_TRUE(host_course({}).empty());
  EXPECT_TRUE(host_course({{1, {entry(0, "idle", Layer::idle, 1)}}}).empty());
}

// Readings as a computer gives them, late by up to a millisecond and rounded to ticks: half a second of a
// busy system, half a second of nothing, and so on.
TEST(HostCourse, SlicesOfRealReadingsAddUpAndFollowTheWork) {
  std::minstd_rand random(3);
  LedgerInput input;
  input.processes = {{10, Role::system, 1}, {20, Role::partner, 0}};
  std::vector<CpuReading> readings;
  std::uint64_t busy_ns = 0;
  constexpr int kSlices = 16;
  for (int i = 0; i <= kSlices; ++i) {
    if (i > 0 && (i - 1) / 2 % 2 == 0) busy_ns += 249 * kMs + random() % kMs;
    CpuReading reading;
    reading.at =
        input.before.at + std::chrono::milliseconds(250 * i) + std::chrono::nanoseconds(random() % kMs);
    for (const auto& [process, cpu] : {std::pair{10, 1}, std::pair{20, 0}}) {
      const std::uint64_t run = process == 10 ? busy_ns : busy_ns / 2, ticks = run / kTickNs;
      reading.threads[process] = {process, "vtax", run, ticks / 5, ticks - ticks / 5};
      reading.parents[process] = 1;
      reading.cpus[cpu].system = ticks + random() % 2;
    }
    readings.push_back(reading);
  }
  input.before = readings.front();
  std::vector<LedgerUpTo> up_to;
  for (int i = 1; i <= kSlices; ++i) {
    input.after = readings[static_cast<std::size_t>(i)];
    up_to.push_back(
        {static_cast<std::uint64_t>((input.after.at - input.before.at).count()), host_ledger(input)});
  }
  const Timeline timeline = host_course(up_to);
  ASSERT_TRUE(adds_up(timeline, up_to.back().entries));
  const Column kernel = row(timeline, 1, "host", Layer::kernel),
               program = row(timeline, 1, "host", Layer::program);
  ASSERT_EQ(kernel.size(), 16U);
  for (std::size_t i = 0; i < 16; ++i) {
    const bool is_busy = i / 2 % 2 == 0;
    const auto both = static_cast<double>(kernel[i] + program[i]);
    EXPECT_NEAR(both, is_busy ? 250.0 * kMs : 0, 10.0 * kMs) << i;
    EXPECT_NEAR(static_cast<double>(program[i]), is_busy ? 50.0 * kMs : 0, 10.0 * kMs) << i;
    std::uint64_t all = 0;
    for (const Timeline::Row& one : timeline.rows)
      if (one.cpu == 1) all += one.cost[i];
    EXPECT_NEAR(static_cast<double>(all), 250.0 * kMs, 25.0 * kMs) << i;
  }
}

}  // namespace
}  // namespace vtax::meter
