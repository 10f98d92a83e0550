#include "workload/traffic/control_channel.h"
#include "core/process_end.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

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

// A guest's machine that ends closes no connection. What it had said is heard.
TEST(ControlChannel, EndsWithTheProcessThatRunsTheOtherSide) {
  TestPair pair = make_test_pair();
  const pid_t child = fork();
  if (child == 0) {
    send_text(pair.left.get(), "{\"n\":3}\n");
    std::this_thread::sleep_for(milliseconds(100));
    _exit(0);
  }
  ControlChannel there(std::move(pair.right), "guest1");
  const auto guests = std::make_shared<GuestEnds>();
  guests->add(process_descriptor(child), [&] {
    return Error{"the process that runs it has ended", end_of_child(child), "", ExitCode::trial_failed};
  });
  there.end_with(guests);
  EXPECT_TRUE(there.receive(milliseconds(20'000)));
  EXPECT_FALSE(there.has_news());
  const auto begun = std::chrono::steady_clock::now();
  const auto nothing = there.receive(milliseconds(20'000));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, milliseconds(10'000));
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().text(), "the process that runs it has ended: it ended with code 0");
  EXPECT_TRUE(there.has_news());
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
}

// A word that nobody has asked for, between orders.
TEST(ControlChannel, TellsNewsWhileItWaitsForOrders) {
  TestPair pair = make_test_pair();
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  Descriptor happens(ends[1]);
  ControlChannel here(std::move(pair.left), "the controller"), there(std::move(pair.right), "guest1");
  here.tell_when(Descriptor(ends[0]), [] {
    return Error{"keep the server running", "it has died", "", ExitCode::trial_failed};
  });
  std::thread waits([&] { EXPECT_TRUE(here.receive(milliseconds(20'000))); });
  EXPECT_FALSE(there.receive(milliseconds(50))) << "nothing has happened yet";
  happens.reset();
  const auto news = there.receive(milliseconds(10'000));
  EXPECT_FALSE(there.receive(milliseconds(50))) << "it is said once";
  EXPECT_TRUE(there.send({{"do", "something"}}));
  waits.join();
  ASSERT_TRUE(news) << news.error().text();
  EXPECT_EQ(*news->text("state", 32), "error");
  EXPECT_EQ(*news->text("why", 32), "it has died");
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
