#include "profile/inside_wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "profile/inside_books.h"

namespace vtax::profile {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

JsonFields from_agent(const nlohmann::json& message) {
  const std::string text = message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  auto fields = JsonFields::parse("read what the agent of web says", text);
  return fields ? std::move(*fields) : JsonFields("", nlohmann::json::object());
}

watch::InsideUse busy_guest() {
  watch::InsideUse use;
  use.interval = seconds(1);
  use.runnable = 3;
  use.tasks = 120;
  use.steal_ns = 250'000'000;
  use.processes = {{7, "postgres", 600'000'000, 4}, {9, "sh\x1b[2J", 10'000'000, 1}};
  return use;
}

TEST(InsideWire, TellsWhatTheAgentSaw) {
  const auto told = read_inside(from_agent(inside_message(busy_guest())), 1, seconds(1));
  ASSERT_TRUE(told) << told.error().text();
  EXPECT_EQ(told->runnable, 3U);
  EXPECT_EQ(told->tasks, 120U);
  EXPECT_EQ(told->steal_ns, 250'000'000U);
  ASSERT_EQ(told->processes.size(), 2U);
  EXPECT_EQ(told->processes[0].name, "postgres");
  EXPECT_EQ(told->processes[0].busy_ns, 600'000'000U);
  EXPECT_EQ(told->processes[0].threads, 4U);
  // Safe on a terminal, whatever it is called.
  EXPECT_EQ(told->processes[1].name.find('\x1b'), std::string::npos);
}

TEST(InsideWire, ManyProcessesAreTheBusiestAndARest) {
  watch::InsideUse use = busy_guest();
  use.processes.clear();
  for (int i = 0; i < 1000; ++i) use.processes.push_back({i, "p", 1000, 1});
  const auto told = read_inside(from_agent(inside_message(use)), 1, seconds(1));
  ASSERT_TRUE(told);
  EXPECT_EQ(told->processes.size(), kMostProcessesTold);
  EXPECT_EQ(told->other_processes, 1000 - kMostProcessesTold);
  EXPECT_EQ(told->others_ns, (1000 - kMostProcessesTold) * 1000);
}

TEST(InsideWire, ALiarIsRefused) {
  const auto refused = [](const nlohmann::json& message) {
    return !read_inside(from_agent(message), 1, seconds(1)).has_value();
  };
  const nlohmann::json good = inside_message(busy_guest());
  ASSERT_FALSE(refused(good));
  // Two CPU seconds of one CPU in a second.
  auto bad = good;
  bad["processes"][0][2] = 2'000'000'000;
  EXPECT_TRUE(refused(bad));
  bad = good;
  bad["steal_ns"] = 2'000'000'000;
  EXPECT_TRUE(refused(bad));
  // Sums that overflow.
  bad = good;
  bad["others_ns"] = ~std::uint64_t{0};
  EXPECT_TRUE(refused(bad));
  bad["others_ns"] = std::uint64_t{1} << 61U;
  EXPECT_TRUE(refused(bad));
  bad = good;
  bad["interval_ns"] = 60'000'000'000;  // longer than the time since it was asked
  EXPECT_TRUE(refused(bad));
  bad = good;
  for (std::size_t i = 0; i <= kMostProcessesTold; ++i) bad["processes"].push_back(good["processes"][1]);
  EXPECT_TRUE(refused(bad));
  for (const nlohmann::json& row :
       {nlohmann::json::array({1, "x", -1, 1}), nlohmann::json::array({1, "x", 1}),
        nlohmann::json::array({std::uint64_t{1} << 40U, "x", 1, 1}), nlohmann::json(5),
        nlohmann::json::array({1, std::string(1000, 'x'), 1, 1})}) {
    bad = good;
    bad["processes"].push_back(row);
    EXPECT_TRUE(refused(bad)) << row.dump();
  }
  const auto failed = read_inside(from_agent({{"state", "failed"}, {"why", "no\x1b]"}}), 1, seconds(1));
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().text(), HasSubstr("no?"));
}

TEST(InsideLine, IsReadWhateverTheNameHolds) {
  const auto line =
      parse_inside_line("17 (a ) b (c) S 1 17 17 0 -1 4194304 1 2 3 4 250 50 8 9 20 0 6 0 12345 1000 20 0");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->name, "a ) b (c");
  EXPECT_EQ(line->ticks, 300U);
  EXPECT_EQ(line->threads, 6U);
  EXPECT_EQ(line->born_ticks, 12345U);
  EXPECT_FALSE(parse_inside_line("17 (x) S 1"));
  EXPECT_FALSE(parse_inside_line(") ("));
}

TEST(InsideBooks, SeeThisProcessWork) {
  auto books = InsideBooks::open();
  ASSERT_TRUE(books) << books.error().text();
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
  std::atomic<std::uint64_t> turns = 0;
  while (std::chrono::steady_clock::now() < end) ++turns;
  const auto use = books->read();
  ASSERT_TRUE(use);
  EXPECT_GE(use->interval, std::chrono::milliseconds(300));
  EXPECT_GT(use->tasks, 0U);
  const auto own = std::find_if(use->processes.begin(), use->processes.end(),
                                [](const auto& process) { return process.number == getpid(); });
  ASSERT_NE(own, use->processes.end());
  EXPECT_GT(own->busy_ns, 0U);
}

}  // namespace
}  // namespace vtax::profile
