// Machines, as processes that say they are QEMU: what Watch goes by are arguments and names of threads.

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "tests/watch/watched.h"

namespace vtax::watch {
namespace {

// A program that says it is QEMU: what Watch goes by are arguments and names of threads.
TEST(Watch, AQemuProcessIsAGuestByItsName) {
  const Child child([] {
    static const std::string name = "guest=" + unique("machine") + ",debug-threads=on";
    const char* const arguments[] = {"qemu-system-x86_64",
                                     "-c",
                                     "while :; do :; done",
                                     "-accel",
                                     "tcg",
                                     "-name",
                                     name.c_str(),
                                     "-m",
                                     "64",
                                     nullptr};
    execv("/bin/sh", const_cast<char* const*>(arguments));
    _exit(1);
  });
  ASSERT_TRUE(child.ready());
  std::this_thread::sleep_for(milliseconds(100));
  auto watch = Watch::start({});
  ASSERT_TRUE(watch) << watch.error().text();
  const Observed observed = observe(*watch, child, milliseconds(1000));
  const Reading& reading = observed.reading;
  const GuestUse* machine = guest(reading, unique("machine"));
  ASSERT_NE(machine, nullptr);
  EXPECT_EQ(machine->kind, GuestKind::qemu);
  EXPECT_EQ(machine->id, std::to_string(child.id()));
  EXPECT_EQ(machine->memory.given_bytes, std::uint64_t{64} << 20);
  EXPECT_GT(machine->memory.used_bytes.value_or(0), 4096U);
  expect_time(machine->own_ns, observed);
}

TEST(Watch, AGuestThatIsStoppedAndGoesOnIsPausedMeanwhile) {
  const Child child(busy_machine(unique("stopped")));
  ASSERT_TRUE(child.ready());
  std::this_thread::sleep_for(milliseconds(100));
  kill(child.id(), SIGSTOP);
  auto watch = Watch::start({});
  ASSERT_TRUE(watch) << watch.error().text();
  for (const bool stopped : {true, false, true}) {
    kill(child.id(), stopped ? SIGSTOP : SIGCONT);
    static_cast<void>(read(*watch));
    std::this_thread::sleep_for(milliseconds(stopped ? 50 : 300));
    const Reading reading = read(*watch);
    const GuestUse* machine = guest(reading, unique("stopped"));
    ASSERT_NE(machine, nullptr);
    EXPECT_EQ(machine->paused, stopped);
    if (stopped)
      EXPECT_LT(machine->own_ns, 1'000'000U);
    else
      EXPECT_GT(machine->own_ns + machine->waiting_ns.value_or(0), 100'000'000U);
    EXPECT_FALSE(is_among(reading.came, unique("stopped")));
    EXPECT_FALSE(is_among(reading.gone, unique("stopped")));
  }
}

// What a migration within one computer, or there and back, looks like: the same name, another process. It has
// its own time alone, and nothing of the first one's.
TEST(Watch, AMigratedGuestBeginsAnewUnderItsName) {
  auto first = std::make_unique<Child>(busy_machine(unique("migrated")));
  ASSERT_TRUE(first->ready());
  std::this_thread::sleep_for(milliseconds(300));
  auto watch = Watch::start({});
  ASSERT_TRUE(watch) << watch.error().text();
  static_cast<void>(read(*watch));
  first.reset();
  const Child second(busy_machine(unique("migrated")));
  ASSERT_TRUE(second.ready());
  std::this_thread::sleep_for(milliseconds(100));
  const Reading reading = read(*watch);
  const GuestUse* machine = guest(reading, unique("migrated"));
  ASSERT_NE(machine, nullptr);
  EXPECT_EQ(machine->id, std::to_string(second.id()));
  EXPECT_FALSE(is_among(reading.came, unique("migrated")));
  EXPECT_FALSE(is_among(reading.gone, unique("migrated")));
  ASSERT_TRUE(machine->busy_so_far_ns);
  EXPECT_LT(machine->own_ns, static_cast<std::uint64_t>(reading.interval.count()) * 101 / 100);
  EXPECT_LT(*machine->busy_so_far_ns, static_cast<std::uint64_t>(reading.interval.count()) * 101 / 100);
}

}  // namespace
}  // namespace vtax::watch
