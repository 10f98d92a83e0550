#include "watch/show/screen_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "core/readable.h"
#include "watch/show/testing/readings.h"

namespace vtax::watch {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

KeyPress key(char c) {
  return {Key::character, c};
}

std::string text_of(ScreenModel& model, std::size_t columns = 80, std::size_t rows = 24) {
  std::string out;
  for (const ScreenLine& line : model.lines(columns, rows, true)) out += line.text + "\n";
  return out;
}

std::string selected_line(ScreenModel& model) {
  for (const ScreenLine& line : model.lines(80, 24, true))
    if (line.style == Style::selected) return line.text;
  return "";
}

ScreenModel model_of(const Reading& reading) {
  ScreenModel model({}, 1s);
  model.take(reading);
  return model;
}

TEST(ScreenModel, SaysThatNothingIsReadYet) {
  ScreenModel model({}, 2s);
  EXPECT_THAT(text_of(model), HasSubstr("the first reading comes in 2 s"));
  EXPECT_TRUE(model.press(key('q')).quit);
}

TEST(ScreenModel, TheSelectionStaysWithItsGuest) {
  auto model = model_of(reading_of_two());
  EXPECT_THAT(selected_line(model), HasSubstr("web"));
  (void)model.press({Key::down});
  EXPECT_EQ(model.selected(), "box");
  Reading later = reading_of_two();
  later.guests[0].own_ns = 900'000'000;  // box is now the first
  model.take(later);
  EXPECT_EQ(model.selected(), "box");
  EXPECT_THAT(selected_line(model), HasSubstr("box"));
  later.guests.erase(later.guests.begin());
  model.take(later);  // and now it is gone
  EXPECT_EQ(model.selected(), "web");
  later.guests.clear();
  model.take(later);
  EXPECT_EQ(model.selected(), "");
  EXPECT_THAT(text_of(model), HasSubstr("No guest is seen here"));
  EXPECT_EQ(model.press({Key::enter}).quit, false);
  EXPECT_EQ(model.view(), View::guests);
}

TEST(ScreenModel, ADetailIsNotExchangedForAnotherGuests) {
  auto model = model_of(reading_of_two());
  (void)model.press({Key::enter});
  EXPECT_THAT(text_of(model), HasSubstr("virtual CPU 0: own 20.0 %, waiting 1.0 %"));
  Reading later = reading_of_two();
  later.guests.pop_back();
  model.take(later);
  EXPECT_THAT(text_of(model), HasSubstr("It is gone"));
  (void)model.press({Key::escape});
  EXPECT_EQ(model.selected(), "box");
}

TEST(ScreenModel, ScrollsToWhatIsSelected) {
  auto model = model_of(reading_of_many(1000));
  EXPECT_THAT(selected_line(model), HasSubstr("guest01000"));
  (void)model.press({Key::end});
  EXPECT_THAT(selected_line(model), HasSubstr("guest00001"));
  (void)model.press({Key::page_up});
  EXPECT_THAT(selected_line(model), HasSubstr("guest00020"));  // 24 rows hold 19 guests
  (void)model.press({Key::home});
  (void)model.press({Key::up});
  EXPECT_THAT(selected_line(model), HasSubstr("guest01000"));
}

TEST(ScreenModel, SortsByColumnsThatAreSeen) {
  auto model = model_of(reading_of_two());
  (void)model.lines(80, 24, true);
  EXPECT_EQ(model.arrangement().sort->name, "sum");
  (void)model.press({Key::left});
  EXPECT_EQ(model.arrangement().sort->name, "caused");
  for (int i = 0; i < 14; ++i) (void)model.press({Key::right});  // all the way round
  EXPECT_EQ(model.arrangement().sort->name, "caused");
  (void)model.press(key('r'));
  EXPECT_TRUE(model.arrangement().ascending);
}

TEST(ScreenModel, PromptsForFilterAndDelay) {
  auto model = model_of(reading_of_two());
  for (const char c : std::string("fqh")) EXPECT_FALSE(model.press(key(c)).quit);  // they are letters now
  EXPECT_THAT(text_of(model), HasSubstr("qh_"));
  (void)model.press({Key::escape});
  EXPECT_EQ(model.arrangement().filter, "");
  (void)model.press(key('d'));
  for (const char c : std::string("0.5")) (void)model.press(key(c));
  EXPECT_EQ(model.press({Key::enter}).delay, 500ms);
  (void)model.press(key('d'));
  (void)model.press(key('x'));
  EXPECT_FALSE(model.press({Key::enter}).delay);
  EXPECT_THAT(text_of(model), HasSubstr("0.05 to 86400"));
  EXPECT_TRUE(model.press(key(' ')).read_now);
}

TEST(ScreenModel, FitsEveryScreenInEveryView) {
  Reading reading = reading_of_many(30);
  reading.guests[0].name = evil_name;
  reading.guests[3].virtual_cpus.clear();
  reading.guests[4].network.reset();
  auto model = model_of(reading);
  for (const char* view : {"", "v", "n", "1", "h", "e"}) {
    for (const char c : std::string(view))
      (void)(c == 'e' ? (void)model.press(key('h')), model.press({Key::enter}) : model.press(key(c)));
    for (std::size_t columns : {1U, 2U, 7U, 9U, 10U, 20U, 79U, 80U, 400U})
      for (std::size_t rows : {1U, 2U, 3U, 5U, 9U, 10U, 24U, 100U})
        for (const bool unicode : {true, false}) {
          const auto lines = model.lines(columns, rows, unicode);
          ASSERT_LE(lines.size(), rows);
          ASSERT_FALSE(lines.empty());
          for (const ScreenLine& line : lines) {
            ASSERT_LE(vtax::columns(line.text), columns) << view << ": " << line.text;
            ASSERT_EQ(printable(line.text, 1000), line.text);
          }
        }
  }
  EXPECT_TRUE(model.lines(0, 0, true).empty());
}

TEST(ScreenModel, HelpIsReadableInNarrowTerminals) {
  auto model = model_of(reading_of_two());
  (void)model.press(key('h'));
  for (const std::size_t columns : {80U, 60U, 40U}) {
    const auto lines = model.lines(columns, 200, true);
    ASSERT_GT(lines.size(), 30U);
    // Before it the reading's own three lines, behind it that of the keys.
    for (std::size_t i = 3; i + 1 < lines.size(); ++i) {
      EXPECT_LE(vtax::columns(lines[i].text), columns) << lines[i].text;
      EXPECT_FALSE(lines[i].text.ends_with('+')) << columns << ": " << lines[i].text;
    }
  }
}

TEST(History, IsOfTheGuestsThatThereAre) {
  History history;
  Reading reading = reading_of_two();
  for (int i = 0; i < 400; ++i) history.take(reading);
  EXPECT_EQ(history.of("web").size(), History::kLongest);
  EXPECT_NEAR(history.of("web").back(), 30, 1e-5);
  reading.guests.pop_back();
  history.take(reading);
  EXPECT_TRUE(history.of("web").empty());
  EXPECT_EQ(history.of("box").size(), History::kLongest);
}

TEST(Graph, DrawsEighthsOfALine) {
  EXPECT_EQ(graph({0, 50, 100}, 100, 4, 1, true), std::vector<std::string>{"  \xe2\x96\x84\xe2\x96\x88"});
  EXPECT_EQ(graph({0, 100, 0.01}, 100, 3, 2, false), (std::vector<std::string>{" # ", " ##"}));
  EXPECT_EQ(graph({1, 2, 3}, 0, 2, 1, false), std::vector<std::string>{"##"});
}

}  // namespace
}  // namespace vtax::watch
