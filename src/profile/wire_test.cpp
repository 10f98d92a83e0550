#include "profile/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vtax::profile {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

MonitorProfile small_profile() {
  MonitorProfile made;
  made.period = 10'000'000;
  made.cpus = 2;
  made.duration = seconds(10);
  made.frames = {{"vmlinux", "do_work"}, {"web", "answer(int)"}, {"web", "main"}};
  made.rows = {{1, 1, "web", Mode::kernel, false, true, {0, 1, 2}, 30},
               {1, 1, "web", Mode::user, false, false, {1, 2}, 12},
               {0, 0, "idle", Mode::kernel, true, false, {0}, 1'000}};
  made.samples = 1'042;
  made.build_ids = {{"web", "00ff"}};
  made.notes = {"Something is missing."};
  return made;
}

Receiving::Bounds bounds(std::size_t cpus = 2) {
  return {Event::cpu_clock, 10'000'000, cpus, seconds(10)};
}

// As it comes from a wire.
JsonFields received(const nlohmann::json& message) {
  return JsonFields::parse("an answer", message.dump()).value();
}

// The error of the first message that is refused.
std::string refusal(const std::vector<nlohmann::json>& messages, const Receiving::Bounds& by) {
  Receiving receiving(by);
  for (const auto& message : messages)
    if (auto taken = receiving.take(received(message)); !taken) return taken.error().text();
  return "";
}

TEST(ProfileWire, TakesATenthOfASecondAndNotHalfOfIt) {
  MonitorProfile sent = small_profile();
  sent.samples = 12;
  sent.rows = {{1, 1, "web", Mode::user, false, false, {1, 2}, 12}};
  auto by = bounds();
  by.duration = sent.duration = std::chrono::milliseconds(100);
  EXPECT_EQ(refusal(messages_of(sent), by), "");
  sent.duration = std::chrono::milliseconds(40);
  EXPECT_THAT(refusal(messages_of(sent), by), HasSubstr("it sampled for 40000000 ns alone"));
}

TEST(ProfileWire, TakesWhatWasSent) {
  const MonitorProfile sent = small_profile();
  Receiving receiving(bounds());
  bool last = false;
  for (const auto& message : messages_of(sent)) {
    auto taken = receiving.take(received(message));
    ASSERT_TRUE(taken) << taken.error().text();
    last = *taken;
  }
  EXPECT_TRUE(last);
  const MonitorProfile got = std::move(receiving).profile();
  EXPECT_EQ(got.samples, 1'042U);
  ASSERT_EQ(got.rows.size(), 3U);
  EXPECT_TRUE(got.rows[0].in_softirq);
  EXPECT_EQ(got.rows[0].mode, Mode::kernel);
  EXPECT_EQ(got.frames[got.rows[1].frames[0]].name, "answer(int)");
  EXPECT_TRUE(got.rows[2].idle);
  EXPECT_EQ(got.build_ids.at("web"), "00ff");
}

TEST(ProfileWire, ALiarIsHeldToWhatItsCpusCanGive) {
  MonitorProfile lie = small_profile();
  lie.rows[1].samples = 1'000'000'000;
  lie.samples = 1'000'001'030;
  EXPECT_THAT(refusal(messages_of(lie), bounds()), HasSubstr("its 2 CPUs can give 2064"));
  // Where the host knows of one CPU, two are not believed.
  EXPECT_THAT(refusal(messages_of(small_profile()), bounds(1)), HasSubstr("its 1 CPUs can give 1032"));
}

TEST(ProfileWire, RowsAndTheirSumAreCompared) {
  auto messages = messages_of(small_profile());
  messages[1]["rows"][1][2] = 13;
  EXPECT_THAT(refusal(messages, bounds()), HasSubstr("more samples than there are"));
  messages[1]["rows"][1][2] = 1;
  EXPECT_THAT(refusal(messages, bounds()), HasSubstr("it said that there are 1042"));
}

TEST(ProfileWire, RefusesWhatIsNoAnswer) {
  const auto good = messages_of(small_profile());
  auto bad = good;
  bad[1]["rows"][0].push_back(99);
  EXPECT_THAT(refusal(bad, bounds()), HasSubstr("a frame that is not there"));
  bad = good;
  bad[1]["frames"][0] = {"x"};
  EXPECT_THAT(refusal(bad, bounds()), HasSubstr("no pair"));
  bad = good;
  bad[1]["rows"][0][1] = "elsewhere";
  EXPECT_THAT(refusal(bad, bounds()), HasSubstr("a row is none"));
  EXPECT_THAT(refusal({good[1]}, bounds()), HasSubstr("no place"));
  EXPECT_THAT(refusal({good[0], good[0]}, bounds()), HasSubstr("no place"));
}

TEST(ProfileWire, AnOrderIsReadStrictly) {
  MonitorOptions options;
  options.hz = 499;
  options.duration = seconds(3);
  const auto read = read_order(received(order_message(options)));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->hz, 499U);
  EXPECT_EQ(read->duration, seconds(3));
  auto bad = order_message(options);
  bad["hz"] = 0;
  EXPECT_FALSE(read_order(received(bad)));
  bad = order_message(options);
  bad["event"] = "cycles";
  EXPECT_FALSE(read_order(received(bad)));
}

}  // namespace
}  // namespace vtax::profile
