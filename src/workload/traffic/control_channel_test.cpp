#include "workload/traffic/control_channel.h"

#include <gtest/gtest.h>

#include <thread>

#include "workload/traffic/test_pair.h"

namespace vtax {
namespace {

using std::chrono::milliseconds;

TEST(ControlChannel, MessagesArriveWholeAndInOrder) {
  TestPair pair = make_test_pair();
  ControlChannel here(std::move(pair.left), "there"), there(std::move(pair.right), "here");
  ASSERT_TRUE(here.send({{"n", 1}}));
  ASSERT_TRUE(here.send({{"n", 2}, {"text", "two\nlines"}}));
  EXPECT_EQ(*there.receive(milliseconds(1000))->number("n", 0, 9), 1U);
  const auto second = there.receive(milliseconds(1000));
  EXPECT_EQ(*second->text("text"), "two\nlines");
}

TEST(ControlChannel, PutsPiecesTogether) {
  TestPair pair = make_test_pair();
  ControlChannel there(std::move(pair.right), "here");
  std::thread slow([&] {
    for (const char* piece : {"{\"n\"", ":", "3}", "\n"}) {
      send_text(pair.left.get(), piece);
      std::this_thread::sleep_for(milliseconds(5));
    }
  });
  const auto message = there.receive(milliseconds(5000));
  slow.join();
  ASSERT_TRUE(message);
  EXPECT_EQ(*message->number("n", 0, 9), 3U);
}

TEST(ControlChannel, SilenceGarbageAndEndAreErrorsThatNameThePartner) {
  TestPair pair = make_test_pair();
  ControlChannel there(std::move(pair.right), "guest1");
  const auto silence = there.receive(milliseconds(30));
  ASSERT_FALSE(silence);
  EXPECT_EQ(silence.error().text(), "message from guest1: nothing came within the time limit");
  send_text(pair.left.get(), "nonsense\n");
  EXPECT_EQ(there.receive(milliseconds(1000)).error().why, "not JSON");
  pair.left.reset();
  EXPECT_EQ(there.receive(milliseconds(1000)).error().why, "the connection was closed");
}

TEST(ControlChannel, ALineWithoutEndDoesNotFillTheMemory) {
  TestPair pair = make_test_pair();
  ControlChannel there(std::move(pair.right), "guest1");
  std::thread flood([&] {
    const std::string much(1 << 16, 'x');
    while (send(pair.left.get(), much.data(), much.size(), MSG_NOSIGNAL) > 0) {
    }
  });
  const auto message = there.receive(milliseconds(10000));
  there = ControlChannel(Descriptor(), "nobody");
  flood.join();
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().why, "the line is too long");
}

}  // namespace
}  // namespace vtax
