#include "machine/lab/guest_messages.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

namespace vtax::lab {
namespace {

std::string frame(std::string_view type, std::string_view json) {
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(json.data()), static_cast<uInt>(json.size()));
  return fmt::format("@vtax {} {} {:08x} {}\n", type, json.size(), crc, json);
}

TEST(GuestMessages, TakesFramesInAnyPieces) {
  const std::string text = "SeaBIOS noise\n" + frame("ready", "{}") + frame("result", R"({"a": 1})");
  GuestMessages messages;
  for (const char byte : text) ASSERT_TRUE(messages.feed({&byte, 1}));
  EXPECT_EQ(messages.next()->type, "ready");
  EXPECT_EQ(messages.next()->json, R"({"a": 1})");
  EXPECT_FALSE(messages.next());
}

TEST(GuestMessages, RefusesDamagedFrames) {
  const std::string good = frame("result", R"({"bytes": 8388608})");
  for (const std::string& bad : {std::string("@vtax result\n"), std::string("@vtax result 5 zzzzzzzz {}\n"),
                                 std::string("@vtax evil 2 00000000 {}\n"),
                                 std::string("@vtax result 99999999999999999999 00000000 {}\n"),
                                 std::string("@vtax result -1 00000000 {}\n")}) {
    GuestMessages messages;
    EXPECT_FALSE(messages.feed(bad)) << bad;
  }
  for (std::size_t at = std::string_view("@vtax ").size(); at + 1 < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    GuestMessages messages;
    const auto fed = messages.feed(bad);
    EXPECT_TRUE(!fed || !messages.next()) << "changed byte " << at;
  }
}

TEST(GuestMessages, BoundsWhatAGuestCanMakeItKeep) {
  GuestMessages messages;
  const std::string flood(1 << 16, 'x');
  int fed = 0;
  while (messages.feed(flood)) ASSERT_LT(++fed, 64);
}

// Noise has no checksum that fits. What is no frame is skipped, and the next frame is heard.
TEST(GuestMessages, NoiseIsNoMessageAndWhatFollowsSkippedNoiseIsHeard) {
  std::mt19937 random(20261122);
  int skipped = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string noise = round % 2 == 0 ? "@vtax " : "";
    const auto length = random() % 80;
    for (unsigned i = 0; i < length; ++i) noise += static_cast<char>(random() % 256);
    GuestMessages messages;
    const bool fed = messages.feed(noise + "\n").has_value();
    EXPECT_FALSE(messages.next()) << noise;
    if (!fed) continue;
    ++skipped;
    ASSERT_TRUE(messages.feed(frame("ready", "{}")));
    const auto heard = messages.next();
    ASSERT_TRUE(heard);
    EXPECT_EQ(heard->type, "ready");
  }
  EXPECT_GT(skipped, 500);
}

}  // namespace
}  // namespace vtax::lab
