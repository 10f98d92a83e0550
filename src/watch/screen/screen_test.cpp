#include "watch/screen/screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <csignal>

#include "core/interruption.h"
#include "core/readable.h"
#include "watch/screen/testing/terminal_process.h"
#include "watch/show/testing/readings.h"

// The screen on a real terminal of its own (a pseudo-terminal), in a process of its own.
namespace vtax::watch {
namespace {

using testing::HasSubstr;
using testing::Not;

// Shows the reading again and again, until q or a signal; an 'X' in the filter's place would be typed, so a
// crash is asked for by SIGUSR1.
int show_reading(const Reading& reading) {
  catch_interruptions();
  std::signal(SIGUSR1, [](int) { std::abort(); });
  auto screen = Screen::open({}, std::chrono::seconds(1));
  if (!screen) {
    fprintf(stderr, "%s\n", screen.error().text().c_str());
    return static_cast<int>(screen.error().code);
  }
  Reading now = reading;
  screen->take(now);
  while (!interrupted()) {
    std::array<pollfd, 2> waits{{{Screen::input(), POLLIN, 0}, {interruption_fd(), POLLIN, 0}}};
    poll(waits.data(), waits.size(), 50);
    const Wish wish = screen->look_at_keys();
    if (wish.quit) return 0;
    ++now.number;
    screen->take(now);
  }
  return 130;
}

TEST(Screen, ShowsGuestsAndWhoElsePaysInEightyByTwentyFour) {
  TerminalProcess process(80, 24, [] { return show_reading(reading_of_two()); });
  ASSERT_TRUE(
      process.shows("web         kvm    25.0   5.0  30.0  1.2  160 1.2k  57k 1.5G 1.4M 2.9M    3 120K"))
      << process.xterm().text();
  ASSERT_TRUE(process.shows("q quit  h help")) << process.xterm().text();  // its last line
  const Xterm& xterm = process.xterm();
  EXPECT_THAT(xterm.line(0), HasSubstr("1.00 s, 2 guests, driver host, charged by work"));
  EXPECT_EQ(xterm.line(1), "driver 4.0, uncharged 1.0, elsewhere 30.0, vtax 0.2, stolen 0.8, idle 124.0");
  EXPECT_EQ(xterm.line(2), "guests 35.0 + caused 5.0 + others 160.0 = 200.0 %, all CPUs' time");
  EXPECT_THAT(xterm.line(3), HasSubstr("GUEST       KIND   OWN% CAUS%  SUM%"));
  EXPECT_THAT(xterm.line(23), HasSubstr("q quit  h help  s sort: sum"));
  EXPECT_TRUE(xterm.is_alternate());
  process.type("q");
  EXPECT_EQ(process.end(), 0);
  EXPECT_TRUE(process.is_as_before());
  EXPECT_EQ(xterm.unknown(), "");
}

TEST(Screen, FollowsTheTerminalsSize) {
  TerminalProcess process(80, 24, [] { return show_reading(reading_of_many(100)); });
  ASSERT_TRUE(process.shows("guest00100"));
  process.resize(20, 5);
  ASSERT_TRUE(process.until([&] {
    return process.xterm().line(1).starts_with("GUEST") &&
           process.xterm().line(2).find("guest00100") != std::string::npos;
  })) << process.xterm().text();
  for (const auto& [columns, rows] : {std::pair(1U, 1U), std::pair(3U, 2U), std::pair(200U, 60U)}) {
    process.resize(columns, rows);
    ASSERT_TRUE(process.until([&] { return !process.xterm().line(0).empty(); })) << columns;
  }
  EXPECT_TRUE(process.shows("WR/s")) << process.xterm().text();  // a wide one has more columns
  process.resize(80, 24);
  ASSERT_TRUE(process.until([&] { return process.xterm().line(3).starts_with("GUEST"); }));
  EXPECT_TRUE(process.shows("q quit"));
  process.type("q");
  EXPECT_EQ(process.end(), 0);
  EXPECT_EQ(process.xterm().unknown(), "");
}

TEST(Screen, DoesWhatKeysAskFor) {
  TerminalProcess process(80, 24, [] { return show_reading(reading_of_two()); });
  ASSERT_TRUE(process.shows("web"));
  for (const auto& [keys, shown] :
       std::vector<std::pair<std::string, std::string>>{{"v", "VCPU     OWN%"},
                                                        {"n", "RX B/s"},
                                                        {"1", "GUESTS%  CAUSED%"},
                                                        {"h", "cannot be seen: Guests' disks"},
                                                        {"\x1b", "KIND   OWN%"},
                                                        {"\r", "found by libvirt"},
                                                        {"\x1b", "KIND   OWN%"},
                                                        {"s", "sort: wait"},
                                                        {"fbox\r", "filter: box"},
                                                        {"f\x7f\x7f\x7f\r", "web "},
                                                        {"d0\r", "from 0.05 to 86400"},
                                                        {"Z", "'Z' does nothing"}}) {
    process.type(keys);
    EXPECT_TRUE(process.shows(shown)) << keys << '\n' << process.xterm().text();
  }
  process.type("\x1bOB\r");  // down
  EXPECT_TRUE(process.shows("container 17")) << process.xterm().text();
}

TEST(Screen, LeavesTheTerminalAsItWasWhateverEndsIt) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    TerminalProcess process(80, 24, [] { return show_reading(reading_of_two()); });
    ASSERT_TRUE(process.shows("web"));
    EXPECT_FALSE(process.is_as_before());
    process.signal(signal);
    const int status = process.end();
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 130) << status;
    EXPECT_TRUE(process.is_as_before()) << signal;
  }
}

TEST(Screen, LeavesTheTerminalAsItWasAfterACrash) {
  TerminalProcess process(80, 24, [] { return show_reading(reading_of_two()); });
  ASSERT_TRUE(process.shows("web"));
  process.signal(SIGUSR1);
  const int status = process.end();
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) << status;
  EXPECT_TRUE(process.is_as_before());
}

TEST(Screen, NamesOfGuestsCannotCommandIt) {
  Reading reading = reading_of_two();
  for (GuestUse& guest : reading.guests) guest.id = guest.found_by = guest.name = evil_name + guest.name;
  reading.driver = reading.shared_by = evil_name;
  reading.missing = {evil_name};
  TerminalProcess process(80, 24, [&] { return show_reading(reading); });
  ASSERT_TRUE(process.shows("?[2J?]0;ow+")) << process.xterm().text();
  for (const char* key : {"v", "n", "h", "v", "v", "\r"}) {
    process.type(key);
    ASSERT_TRUE(
        process.until([&, before = process.output().size()] { return process.output().size() > before; }));
  }
  process.type("q");
  EXPECT_EQ(process.end(), 0);
  EXPECT_EQ(process.xterm().unknown(), "");
  EXPECT_THAT(process.output(), Not(HasSubstr("\x1b]0;")));
}

TEST(Screen, IsPlainWhereTheTerminalIs) {
  Reading reading = reading_of_two();
  reading.guests[1].name = "m\xc3\xbcller";
  {
    TerminalProcess process(
        80, 24, [&] { return show_reading(reading); }, "xterm", "C");
    ASSERT_TRUE(process.shows("m?ller"));
    process.type("\r");
    EXPECT_TRUE(process.shows("#")) << process.xterm().text();
  }
  TerminalProcess process(80, 24, [&] { return show_reading(reading); });
  ASSERT_TRUE(process.shows("m\xc3\xbcller"));
  process.type("\r");
  EXPECT_TRUE(process.shows("\xe2\x96")) << process.xterm().text();
}

TEST(Screen, KnowsUtf8ByALocaleThatIsNotInstalledHere) {
  Reading reading = reading_of_two();
  reading.guests[1].name = "m\xc3\xbcller";
  TerminalProcess process(
      80, 24, [&] { return show_reading(reading); }, "xterm", "tlh_QO.UTF-8");
  EXPECT_TRUE(process.shows("m\xc3\xbcller")) << process.xterm().text();
}

TEST(Screen, SaysWhatToDoWithoutATerminalThatItKnows) {
  for (const auto& [name, why] :
       {std::pair("no-such-terminal", "knows no terminal named 'no-such-terminal'"),
        std::pair("dumb", "cannot place text"), std::pair("", "TERM does not say")}) {
    TerminalProcess process(
        80, 24, [] { return show_reading(reading_of_two()); }, name);
    const int status = process.end();
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 2) << status;
    EXPECT_THAT(process.output(), HasSubstr(why));
    EXPECT_THAT(process.output(), HasSubstr("vtax top -b"));
    EXPECT_TRUE(process.is_as_before());
  }
}

}  // namespace
}  // namespace vtax::watch
