#include "workload/iperf3/control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <random>

namespace vtax::iperf3 {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

struct Ends {
  Descriptor other;
  Control control;
};

Ends connected() {
  std::array<int, 2> pair{};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
  return {Descriptor(pair[0]), Control(Descriptor(pair[1]), "the peer")};
}

void say(const Ends& ends, const std::string& bytes) {
  ASSERT_EQ(send(ends.other.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
}

TEST(Iperf3Control, JsonCrossesIt) {
  const Ends ends = connected();
  const Control peer(Descriptor(dup(ends.other.get())), "the peer");
  ASSERT_TRUE(peer.send(nlohmann::json{{"a", 5}}));
  const auto got = ends.control.receive_json("read it", milliseconds(500));
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->json()["a"], 5);
}

TEST(Iperf3Control, RefusalsAreSaidInWords) {
  for (const auto& [bytes, words] : std::vector<std::pair<std::string, std::string>>{
           {"\xff", "busy with another test"},
           {std::string("\xfe\0\0\0\x05\0\0\0\0", 9), "longer than the server allows"},
           {std::string("\xfe\0\0\x03\xe7\0\0\0\0", 9), "its error 999"},
           {"\xfe", "does not say which"},
           {"\x0b", "was stopped"},
           {"H", "no state"}}) {
    const Ends ends = connected();
    say(ends, bytes);
    const auto state = ends.control.receive_state(milliseconds(50));
    ASSERT_FALSE(state);
    EXPECT_THAT(state.error().why, HasSubstr(words));
  }
}

TEST(Iperf3Control, SilenceAndHalfMessagesEnd) {
  const Ends silent = connected();
  EXPECT_THAT(silent.control.receive_state(milliseconds(20)).error().why, HasSubstr("said nothing"));
  say(silent, std::string("\0\0\0\x10{\"a\"", 8));
  EXPECT_THAT(silent.control.receive_json("read it", milliseconds(20)).error().why,
              HasSubstr("said nothing"));
  const Ends closing = connected();
  say(closing, std::string("\0\0\0\x10{\"a\"", 8));
  shutdown(closing.other.get(), SHUT_WR);
  EXPECT_THAT(closing.control.receive_json("read it", milliseconds(500)).error().why, HasSubstr("closed"));
}

TEST(Iperf3Control, NoLengthIsBelieved) {
  for (const std::string& length : {std::string("\xff\xff\xff\xff"), std::string("\0\x10\0\x01", 4)}) {
    const Ends ends = connected();
    say(ends, length);
    EXPECT_THAT(ends.control.receive_json("read it", milliseconds(500)).error().why, HasSubstr("announces"));
  }
}

TEST(Iperf3Control, NoiseIsAnErrorSoon) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 500; ++i) {
    const Ends ends = connected();
    std::string bytes(1 + random() % 64, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    if (i % 2 == 0) bytes.replace(0, std::min<std::size_t>(3, bytes.size()), std::string("\0\0\0", 3));
    say(ends, bytes);
    shutdown(ends.other.get(), SHUT_WR);
    const auto state =
        i % 3 == 0 ? ends.control.receive_state(milliseconds(200)) : Result<State>(State::done);
    if (!state) continue;
    EXPECT_FALSE(ends.control.receive_json("read it", milliseconds(200)));
  }
}

}  // namespace
}  // namespace vtax::iperf3
