#include "platform/dead_guest.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

TEST(DeadGuest, HasItsPanicAndItsLastLinesInItsError) {
  std::string console = "booting\r\n[   1.5] Kernel panic - not syncing: of \x1b[31mwhat\r\n";
  for (int line = 1; line <= 20; ++line) console += "trace " + std::to_string(line) + "\r\n";
  const Error error = error_of_dead_guest("guest1: its QEMU has ended", "it ended with code 0", console);
  EXPECT_TRUE(error.what == "guest1: its QEMU has ended" && error.code == ExitCode::trial_failed);
  EXPECT_EQ(error.why.rfind("it ended with code 0; Kernel panic - not syncing: of ", 0), 0U) << error.why;
  EXPECT_EQ(error.why.find('\x1b'), std::string::npos);
  EXPECT_EQ(error.next.rfind("its last lines:\ntrace 9\n", 0), 0U) << error.next;
  EXPECT_EQ(error.next.substr(error.next.size() - 9), "\ntrace 20");
}

TEST(DeadGuest, MayHavePrintedNothingOrOneEndlessLine) {
  const Error silent = error_of_dead_guest("boot guest1", "it did not answer within 60 s", "");
  EXPECT_EQ(silent.why, "it did not answer within 60 s");
  EXPECT_EQ(silent.next, "it had printed nothing");
  EXPECT_LT(error_of_dead_guest("guest1", "it has crashed", std::string(1 << 16, 'x')).next.size(), 5000U);
}

}  // namespace
}  // namespace vtax
