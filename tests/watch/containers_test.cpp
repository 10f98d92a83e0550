// Containers that are really there: control groups with processes in them.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "tests/watch/watched.h"

namespace vtax::watch {
namespace {

TEST(Watch, ABusyLoopsTimeIsItsContainers) {
  const Group one(unique("one")), two(unique("two"));
  if (!one.made() || !two.made()) GTEST_SKIP() << "this user may make no control groups here";
  const Child busy(
      [] {
        while (true) burn(milliseconds(1000));
      },
      &one),
      quiet([] {}, &two);
  ASSERT_TRUE(busy.ready() && quiet.ready());
  auto watch = Watch::start({});
  ASSERT_TRUE(watch) << watch.error().text();
  for (int round = 0; round < 3; ++round) {
    const Observed observed = observe(*watch, busy, milliseconds(1000));
    const Reading& reading = observed.reading;
    const GuestUse *first = guest(reading, unique("one")), *second = guest(reading, unique("two"));
    ASSERT_NE(first, nullptr);
    ASSERT_NE(second, nullptr);
    EXPECT_EQ(first->kind, GuestKind::container);
    EXPECT_EQ(first->found_by, "lxc");
    expect_time(first->own_ns + first->caused.packets_ns, observed);
    EXPECT_LT(second->own_ns, 1'000'000U);
    EXPECT_TRUE(first->switches);
    EXPECT_GT(reading.other.vtax_ns + reading.other.stolen_ns, 0U);
  }
}

// Processes that no look sees: a control group counts them.
TEST(Watch, TasksThatComeAndGoAreTheirContainers) {
  const Group one(unique("brief"));
  if (!one.made()) GTEST_SKIP() << "this user may make no control groups here";
  const Child parent(
      [] {
        while (true) {
          const pid_t child = fork();
          if (child == 0) {
            burn(milliseconds(5));
            _exit(0);
          }
          int status = 0;
          waitpid(child, &status, 0);
        }
      },
      &one);
  ASSERT_TRUE(parent.ready());
  auto watch = Watch::start({});
  ASSERT_TRUE(watch) << watch.error().text();
  static_cast<void>(read(*watch));
  std::this_thread::sleep_for(milliseconds(400));
  const Reading reading = read(*watch);
  const GuestUse* brief = guest(reading, unique("brief"));
  ASSERT_NE(brief, nullptr);
  // It waits for nothing but a CPU.
  EXPECT_GT(brief->own_ns + brief->waiting_ns.value_or(0),
            static_cast<std::uint64_t>(reading.interval.count()) / 20);
}

TEST(Watch, GuestsComeGoAndAreRenamed) {
  auto watch = Watch::start({});
  ASSERT_TRUE(watch) << watch.error().text();
  static_cast<void>(read(*watch));
  Group group(unique("first"));
  if (!group.made()) GTEST_SKIP() << "this user may make no control groups here";
  Child child(
      [] {
        while (true) burn(milliseconds(1000));
      },
      &group);
  ASSERT_TRUE(child.ready());
  std::this_thread::sleep_for(milliseconds(100));
  Reading reading = read(*watch);
  EXPECT_TRUE(is_among(reading.came, unique("first")));
  // Not what it did before it was seen: half a second at most has passed.
  ASSERT_NE(guest(reading, unique("first")), nullptr);
  EXPECT_LE(guest(reading, unique("first"))->own_ns, reading.all_cpus_ns);
  if (group.rename(unique("second"))) {
    std::this_thread::sleep_for(milliseconds(100));
    // The first look finds the group gone, the second one where it is.
    static_cast<void>(read(*watch));
    std::this_thread::sleep_for(milliseconds(100));
    reading = read(*watch);
    ASSERT_NE(guest(reading, unique("second")), nullptr);
    EXPECT_EQ(guest(reading, unique("first")), nullptr);
    EXPECT_GT(guest(reading, unique("second"))->own_ns, 1'000'000U);
  }
  child.end();
  std::this_thread::sleep_for(milliseconds(50));
  reading = read(*watch);
  EXPECT_EQ(reading.guests.end(),
            std::find_if(reading.guests.begin(), reading.guests.end(),
                         [](const auto& one) { return one.name.find(unique("")) == 0; }));
  EXPECT_TRUE(is_among(reading.gone, unique("first")) || is_among(reading.gone, unique("second")));
}

}  // namespace
}  // namespace vtax::watch
