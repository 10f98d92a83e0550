#include "platform/guest_process.h"

#include <gmock/gmock.h>

#include <chrono>
#include <thread>

namespace vtax {
namespace {

std::string end_of(const std::string& script) {
  auto guest = GuestProcess::start({"/bin/sh", {"-c", script}, {}}, 0);
  EXPECT_TRUE(guest) << guest.error().text();
  for (int i = 0; i < 500 && guest->running(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_FALSE(guest->running());
  GuestProcess moved = std::move(*guest);  // the words go with it
  return moved.how_it_ended() + "|" + moved.console();
}

TEST(GuestProcess, SaysHowItEnded) {
  EXPECT_EQ(end_of("kill -KILL $$"), "it was killed by signal 9 (Killed)|");
  EXPECT_EQ(end_of("echo why; exit 3"), "it ended with code 3|why\n");
}

// What it prints is kept in memory.
TEST(GuestProcess, ThatPrintsForEverEnds) {
  auto guest =
      GuestProcess::start({"/bin/sh", {"-c", "exec cat /dev/zero"}, {"PATH=/usr/bin:/bin"}, false, 0}, 0);
  ASSERT_TRUE(guest) << guest.error().text();
  std::this_thread::sleep_for(std::chrono::seconds(1));  // nobody looks meanwhile
  EXPECT_FALSE(guest->running());
  EXPECT_EQ(guest->how_it_ended(), "it was killed by signal 25 (File size limit exceeded)");
}

}  // namespace
}  // namespace vtax
