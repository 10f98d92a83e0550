#include "record/timeline_text.h"

#include <gtest/gtest.h>

#include <random>

namespace vtax {
namespace {

Timeline two_slices() {
  Timeline timeline;
  timeline.end_ns = {1000, 2500};
  timeline.work = {{"guest1", {60, 40}, {0, 0}}};
  timeline.rows = {{0, "Domain-0", Layer::driver, Part::kernel, {7, 8}},
                   {2, "guest1", Layer::kernel, Part::none, {9, 10}}};
  return timeline;
}

TEST(TimelineText, ComesBackAsItWas) {
  const auto read = read_timeline(timeline_text(two_slices()));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, two_slices());
}

Timeline two_slices_of_a_host() {
  Timeline timeline;
  timeline.end_ns = {1000, 2500};
  timeline.in_time = true;
  timeline.rows = {{0, "host", Layer::driver, Part::none, {7, 8}},
                   {1, "guest1", Layer::kernel, Part::none, {9, 10}, true},
                   {1, "idle", Layer::idle, Part::none, {0, 1}}};
  timeline.devices = {{"system", "host", "vtaxg0", {1, 2}, {3, 4}, {5, 6}, {7, 8}, {0, 9}}};
  return timeline;
}

TEST(TimelineText, OfAHostComesBackAsItWas) {
  const auto read = read_timeline(timeline_text(two_slices_of_a_host()));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, two_slices_of_a_host());
}

TEST(TimelineText, OtherFormsAreRefused) {
  for (
      const char* text :
      {"", "[]", "{}", R"({"end_ns": [], "work": [], "rows": []})",
       R"({"end_ns": [1], "work": [], "rows": 3})", R"({"end_ns": [-1], "work": [], "rows": []})",
       R"({"end_ns": [1], "work": [1], "rows": []})",
       R"({"end_ns": [1], "work": [], "rows": [{"cpu": 99999999, "domain": "a", "layer": "kernel", "part": "",
            "instructions": [1]}]})",
       R"({"end_ns": [1], "work": [], "rows": [{"cpu": 1, "domain": "a", "layer": "cellar", "part": "",
            "instructions": [1]}]})",
       R"({"end_ns": [1], "work": [], "rows": [{"cpu": 1, "domain": "a", "layer": "kernel+program", "part": "",
            "instructions": [1]}]})",
       R"({"end_ns": [1], "work": [], "rows": [{"cpu": 1, "domain": "a", "layer": "kernel", "part": "",
            "cpu_ns": [1]}, {"cpu": 1, "domain": "b", "layer": "kernel", "part": "", "instructions": [1]}]})",
       R"({"end_ns": [1], "work": [], "rows": [{"cpu": 1, "domain": "a", "layer": "kernel", "part": "",
            "cpu_ns": [-1]}]})",
       R"({"end_ns": [1], "work": [], "rows": [{"cpu": 1, "domain": "a", "layer": "kernel", "part": "",
            "cpu_ns": [1]}], "devices": [{"side": "system", "domain": "host", "device": "lo"}]})",
       R"({"end_ns": [1], "work": [], "rows": [], "devices": [{"side": "system", "domain": "host",
            "device": "lo", "received_bytes": [1], "sent_bytes": [1], "received_packets": [1],
            "sent_packets": [1], "dropped_packets": [1]}]})"})
    EXPECT_FALSE(read_timeline(text)) << text;
}

// What is taken is a timeline: each row has a value a slice, and it is written as it was read.
void expect_whole(const Timeline& timeline) {
  EXPECT_LE(timeline.end_ns.size(), kMostSlices);
  for (const auto& row : timeline.rows) EXPECT_EQ(row.cost.size(), timeline.end_ns.size());
  const auto again = read_timeline(timeline_text(timeline));
  ASSERT_TRUE(again);
  EXPECT_EQ(timeline_text(*again), timeline_text(timeline));
}

TEST(TimelineText, NoiseThatIsTakenIsATimeline) {
  std::mt19937 random(1);
  int taken = 0, refused = 0;
  for (const Timeline& timeline : {two_slices(), two_slices_of_a_host()}) {
    const std::string whole = timeline_text(timeline);
    for (int round = 0; round < 5000; ++round) {
      std::string text = whole;
      for (int i = 0; i < 4; ++i) text[random() % text.size()] = static_cast<char>(random() % 95 + 32);
      EXPECT_FALSE(read_timeline(text.substr(0, random() % text.size()))) << "a text that is cut off";
      const auto read = read_timeline(text);
      if (read) expect_whole(*read);
      ++(read ? taken : refused);
    }
  }
  EXPECT_GT(taken, 0);
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace vtax
