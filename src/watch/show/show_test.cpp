#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "core/readable.h"
#include "watch/show/arrange.h"
#include "watch/show/column.h"
#include "watch/show/csv.h"
#include "watch/show/delay.h"
#include "watch/show/figures.h"
#include "watch/show/json.h"
#include "watch/show/table.h"
#include "watch/show/testing/readings.h"

namespace vtax::watch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string table_of(const Reading& reading, std::size_t width = 80, const Arrangement& by = {}) {
  std::ostringstream out;
  std::vector<std::string> said;
  write_table(reading, by, width, said, out);
  return out.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> names_of(const std::vector<const GuestUse*>& guests) {
  std::vector<std::string> names;
  for (const GuestUse* guest : guests) names.push_back(guest->name);
  return names;
}

TEST(Figures, StayWithinTheirColumns) {
  for (const auto& [value, text] : std::vector<std::pair<double, const char*>>{{0, "0"},
                                                                               {0.2, "0.2"},
                                                                               {5, "5"},
                                                                               {9.96, "10"},
                                                                               {999.4, "999"},
                                                                               {999.6, "1.0k"},
                                                                               {9'960, "10k"},
                                                                               {999'400, "999k"},
                                                                               {999'600, "1.0M"},
                                                                               {12'300'000, "12M"}})
    EXPECT_EQ(short_count(value), text) << value;
  for (const auto& [value, text] : std::vector<std::pair<double, const char*>>{
           {0, "0"}, {512, "512"}, {1000, "1.0K"}, {1536, "1.5K"}, {1023 * 1024.0, "1.0M"}, {3e9, "2.8G"}})
    EXPECT_EQ(short_bytes(value), text) << value;
  EXPECT_EQ(long_percent(99.95), "100.0");
  EXPECT_EQ(long_percent(999.96), "1000");
  EXPECT_EQ(short_percent(9.96), "10");
  EXPECT_EQ(seconds_text(12'000'000'001), "12.000000001");
  EXPECT_EQ(utc_text(reading_of_two().at), "2025-11-28T23:05:09.120000000Z");
}

TEST(Figures, ForeignTextTakesItsColumnsAndNoMore) {
  EXPECT_EQ(narrow("web", 3), "web");
  EXPECT_EQ(narrow("webs", 3), "we+");
  EXPECT_EQ(narrow("m\xc3\xbcller", 6), "m\xc3\xbcller");
  EXPECT_EQ(narrow("m\xc3\xbcller", 6, false), "m?ller");
  EXPECT_EQ(narrow("\xe4\xb8\xad\xe6\x96\x87", 9), "??");  // two columns each
  EXPECT_EQ(narrow("a\xcc\x81", 9), "a?");                 // an accent that takes none
  EXPECT_EQ(narrow("x", 0), "");
  EXPECT_EQ(narrow(evil_name, 80), "?[2J?]0;owned??root#?????");
}

TEST(Delay, IsANumberOfSeconds) {
  EXPECT_EQ(parse_delay("0.25").value().count(), 250'000'000);
  EXPECT_EQ(parse_delay("2").value().count(), 2'000'000'000);
  EXPECT_EQ(parse_delay("5min").value().count(), 300'000'000'000);
  for (const char* wrong : {"", "0", "-1", "0.049", "86401", "1d", "nan", "inf", "1e99", " 1"})
    EXPECT_FALSE(parse_delay(wrong)) << wrong;
}

TEST(Columns, ThatWereAskedForFitInEightyColumns) {
  std::vector<std::string_view> names;
  for (const PlacedColumn& one : columns_within(80, 30)) names.push_back(one.column->name);
  EXPECT_THAT(names, ElementsAre("guest", "kind", "own", "caused", "sum", "wait", "blocked", "switches",
                                 "exits", "memory", "received", "sent", "drops", "disk"));
  for (const Column& column : columns()) EXPECT_LE(column.heading.size(), column.width) << column.name;
}

TEST(Columns, TakeWhatThereIsAndNoMore) {
  std::size_t before = 0;
  for (std::size_t width = 1; width < 300; ++width) {
    const auto placed = columns_within(width, 40);
    std::size_t used = placed.size() - 1;
    for (const PlacedColumn& one : placed) used += one.width;
    EXPECT_LE(used, width);
    EXPECT_GE(placed.size(), before) << width;
    before = placed.size();
    EXPECT_EQ(placed[0].column->name, "guest");
  }
  EXPECT_EQ(before, columns().size());
}

TEST(Table, ShowsWhoPaysAndAddsUp) {
  const auto lines = lines_of(table_of(reading_of_two()));
  EXPECT_THAT(lines[0], HasSubstr("1.00 s, 2 guests, driver host, charged by work"));
  EXPECT_EQ(lines[1], "GUEST       KIND   OWN% CAUS%  SUM% WAIT BLCK SW/s EX/s  MEM RX/s TX/s DR/s  DSK");
  EXPECT_EQ(lines[2], "web         kvm    25.0   5.0  30.0  1.2  160 1.2k  57k 1.5G 1.4M 2.9M    3 120K");
  EXPECT_EQ(lines[3], "box         cont   10.0   0.0  10.0    -    -    -    -    -    -    -    -    -");
  EXPECT_EQ(lines[4], "driver (host)                   4.0");
  EXPECT_EQ(lines[9], "idle                          124.0");
  EXPECT_EQ(lines[10], "guests 35.0 + caused 5.0 + others 160.0 = 200.0 %, all CPUs' time");
  EXPECT_EQ(lines[11], "shared work is split by packets");
  EXPECT_EQ(lines[12], "missing: Guests' disks are not seen without root: run it as root.");
}

TEST(Table, SaysWhenItDoesNotAddUp) {
  Reading reading = reading_of_two();
  reading.other.idle_ns -= 7;
  EXPECT_THAT(table_of(reading), HasSubstr("7 ns are wrong"));
}

TEST(Table, SaysWhatIsMissingOnce) {
  std::ostringstream out;
  std::vector<std::string> said;
  Reading reading = reading_of_two();
  write_table(reading, {}, 80, said, out);
  reading.missing.emplace_back("Exits are not counted.");
  write_table(reading, {}, 80, said, out);
  const std::string text = out.str();
  EXPECT_EQ(text.find("missing: Guests'"), text.rfind("missing: Guests'"));
  EXPECT_THAT(text, HasSubstr("missing: Exits are not counted.\n"));
}

TEST(Table, KeepsItsWidthWhateverGuestsAreCalled) {
  Reading reading = reading_of_two();
  reading.guests[0].name = evil_name + std::string(200, 'x');
  reading.guests[1].found_by = reading.guests[1].id = reading.driver = reading.shared_by = evil_name;
  reading.came = {evil_name};
  reading.gone = {evil_name};
  reading.missing = {evil_name};
  for (const std::size_t width : {20U, 80U, 250U}) {
    const std::string text = table_of(reading, width);
    EXPECT_EQ(printable_lines(text), text);
    const auto lines = lines_of(text);
    EXPECT_THAT(lines[3], HasSubstr("?[2J"));
    for (std::size_t i = 0; i < 4; ++i) EXPECT_LE(vtax::columns(lines[i]), width) << lines[i];
  }
}

TEST(Arrangement, SortsAndFilters) {
  Reading reading = reading_of_two();
  reading.guests.push_back(guest_of("Webmail", GuestKind::xen, 900'000'000));
  EXPECT_THAT(names_of(arranged(reading, {})), ElementsAre("Webmail", "web", "box"));
  EXPECT_THAT(names_of(arranged(reading, {column_named("guest"), false, ""})),
              ElementsAre("Webmail", "box", "web"));
  EXPECT_THAT(names_of(arranged(reading, {column_named("own"), true, ""})),
              ElementsAre("box", "web", "Webmail"));
  // What is not known is neither much nor little.
  for (const bool ascending : {false, true})
    EXPECT_EQ(names_of(arranged(reading, {column_named("exits"), ascending, ""})).front(), "web");
  EXPECT_THAT(names_of(arranged(reading, {column_named("sum"), false, "WEB"})),
              ElementsAre("Webmail", "web"));
  EXPECT_EQ(column_named("nothing"), nullptr);
}

TEST(Json, HoldsAllOfAReadingAndNothingUnknown) {
  std::ostringstream out;
  write_json_line(reading_of_two(), out);
  const std::string text = out.str();
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  const auto json = nlohmann::json::parse(text);
  const auto& box = json["guests"][0];
  for (const char* unknown : {"waiting_ns", "blocked_ns", "switches", "exits", "busy_so_far_ns", "memory",
                              "network", "disk", "virtual_cpus"})
    EXPECT_FALSE(box.contains(unknown)) << unknown;
  const auto& web = json["guests"][1];
  EXPECT_EQ(web["network"]["sent_bytes"], 3'000'000);
  EXPECT_EQ(web["memory"]["balloon_bytes"], 512 << 20);
  EXPECT_EQ(web["virtual_cpus"][0]["cpu"], 1);
  EXPECT_FALSE(web["virtual_cpus"][1].contains("cpu"));
  EXPECT_EQ(json["at"], "2025-11-28T23:05:09.120000000Z");
  std::uint64_t sum = 0;
  for (const auto& guest : json["guests"]) {
    sum += guest["own_ns"].get<std::uint64_t>();
    for (const auto& part : guest["caused"]) sum += part.get<std::uint64_t>();
  }
  for (const auto& part : json["other"]) sum += part.get<std::uint64_t>();
  EXPECT_EQ(sum, json["all_cpus_ns"]);
}

TEST(Json, ForeignTextIsWhatItWas) {
  Reading reading = reading_of_two();
  reading.guests[0].name = "\x1b[2J\"\n\xe4\xb8\xad";
  std::ostringstream out;
  write_json_line(reading, out);
  EXPECT_EQ(printable_lines(out.str()), out.str());
  EXPECT_EQ(nlohmann::json::parse(out.str())["guests"][0]["name"], reading.guests[0].name);
}

TEST(Csv, HasARowForEachPartOfTheTime) {
  std::ostringstream out;
  write_csv_heading(out);
  Reading reading = reading_of_two();
  reading.guests[0].name = "=cmd|' /C calc'!A0";
  write_csv_rows(reading, out);
  const auto lines = lines_of(out.str());
  ASSERT_EQ(lines.size(), 9U);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(std::count(lines[i].begin(), lines[i].end(), ','), 31) << lines[i];
    if (i == 0) continue;
    std::istringstream row(lines[i]);
    std::string cell;
    for (int column = 0; column < 11 && std::getline(row, cell, ','); ++column)
      if (column >= 9 && !cell.empty()) sum += std::stoull(cell);
  }
  EXPECT_EQ(sum, reading.all_cpus_ns);
  EXPECT_THAT(lines[1], HasSubstr(",guest,'=cmd"));
  EXPECT_THAT(lines[1], HasSubstr(",100000000,0,0,0,0,,,,,,,,,"));  // what is not known is empty
}

}  // namespace
}  // namespace vtax::watch
