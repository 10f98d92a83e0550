// What readings are without rights, and over time.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "meter/kernel_text.h"
#include "tests/watch/watched.h"

namespace vtax::watch {
namespace {

// What an ordinary user sees: it adds up, too, and says what is missing.
TEST(Watch, WithoutRootItSaysWhatIsMissing) {
  if (geteuid() != 0) GTEST_SKIP() << "this user is none other than root";
  const Child busy(busy_machine(unique("seen")));
  ASSERT_TRUE(busy.ready());
  std::this_thread::sleep_for(milliseconds(100));
  const pid_t child = fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (setgid(kNobody) != 0 || setuid(kNobody) != 0) _exit(10);
    auto watch = Watch::start({});
    if (!watch) _exit(11);
    const Observed observed = observe(*watch, busy, milliseconds(1000));
    const GuestUse* seen = guest(observed.reading, unique("seen"));
    if (seen == nullptr) _exit(12);
    expect_time(seen->own_ns, observed);
    if (!observed.reading.cpus.empty()) _exit(13);
    if (observed.reading.missing.size() < 2) _exit(14);
    _exit(::testing::Test::HasFailure() ? 17 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

std::uint64_t resident_bytes() {
  std::string text;
  const auto all = meter::read_once(AT_FDCWD, "/proc/self/statm", text);
  meter::Words words(all.value_or(""));
  words.skip(1);
  return meter::whole_number<std::uint64_t>(words.next()).value_or(0) *
         static_cast<std::uint64_t>(getpagesize());
}

TEST(Watch, ManyReadingsTakeNoMoreMemory) {
  auto watch = Watch::start({});
  ASSERT_TRUE(watch) << watch.error().text();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(watch->read());
  const std::uint64_t before = resident_bytes();
  for (int i = 0; i < 400; ++i) ASSERT_TRUE(watch->read());
  EXPECT_LT(resident_bytes(), before + (1U << 20));
}

}  // namespace
}  // namespace vtax::watch
