#include "workload/iperf3/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <functional>
#include <thread>

#include "workload/iperf3/control.h"

// A server that follows the protocol until it does what a test is about.
namespace vtax::iperf3 {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class FalseServer {
 public:
  using Talk = std::function<void(const Control&, int listener)>;
  explicit FalseServer(Talk talk) {
    auto listener = tcp_listen({"127.0.0.1", 0});
    EXPECT_TRUE(listener);
    listener_ = std::move(*listener);
    thread_ = std::jthread([this, talk] {
      Descriptor fd(accept(listener_.get(), nullptr, nullptr));
      Cookie cookie{};
      recv(fd.get(), cookie.data(), cookie.size(), MSG_WAITALL);
      talk(Control(std::move(fd), "the client"), listener_.get());
    });
  }
  Result<TestReport> client(std::uint64_t bytes = 0) const {
    ClientOptions options;
    options.server = {"127.0.0.1", tcp_port(listener_.get()).value_or(0)};
    options.test.bytes = bytes;
    options.duration = bytes == 0 ? milliseconds(100) : milliseconds(0);
    return run_client(options);
  }

 private:
  Descriptor listener_;
  std::jthread thread_;
};

// Up to the data: the stream's socket.
Descriptor begin(const Control& control, int listener) {
  EXPECT_TRUE(control.send(State::param_exchange));
  EXPECT_TRUE(control.receive_json("read parameters", seconds(2)));
  EXPECT_TRUE(control.send(State::create_streams));
  Descriptor stream(accept(listener, nullptr, nullptr));
  EXPECT_TRUE(control.send(State::test_start));
  EXPECT_TRUE(control.send(State::test_running));
  return stream;
}

void answer_results(const Control& control, int stream, std::uint64_t claimed) {
  std::thread reader([stream] {
    std::array<char, 65536> room{};
    while (recv(stream, room.data(), room.size(), 0) > 0) {
    }
  });
  EXPECT_TRUE(control.expect(State::test_end, seconds(5)));
  EXPECT_TRUE(control.send(State::exchange_results));
  EXPECT_TRUE(control.receive_json("read results", seconds(2)));
  Results results;
  results.streams = {{1, claimed, std::nullopt, 0, 0, 0, 0.1}};
  EXPECT_TRUE(control.send(results.to_json()));
  EXPECT_TRUE(control.send(State::display_results));
  static_cast<void>(control.receive_state(seconds(2)));
  reader.join();
}

TEST(Iperf3Client, WorkThatWasNotDoneIsNoFigure) {
  const FalseServer server([](const Control& control, int listener) {
    const Descriptor stream = begin(control, listener);
    answer_results(control, stream.get(), 1ULL << 50);
  });
  const auto report = server.client();
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().why, HasSubstr("says that it received 1125899906842624 bytes"));
}

TEST(Iperf3Client, AServerThatCountedLessIsSaid) {
  const FalseServer server([](const Control& control, int listener) {
    const Descriptor stream = begin(control, listener);
    answer_results(control, stream.get(), 1000);
  });
  const auto report = server.client(5'000'000);
  ASSERT_TRUE(report) << report.error().text();
  ASSERT_EQ(report->warnings.size(), 1U);
  EXPECT_THAT(report->warnings[0], HasSubstr("Of the 5000000 bytes sent the server has counted 1000"));
  for (const SideReport& side : sides_of(*report)) EXPECT_EQ(side.bytes.value, 1000U) << side.side;
}

TEST(Iperf3Client, ABusyServerIsSaid) {
  const FalseServer server(
      [](const Control& control, int) { EXPECT_TRUE(control.send(State::access_denied)); });
  EXPECT_THAT(server.client().error().why, HasSubstr("busy"));
}

TEST(Iperf3Client, GarbageIsNoServer) {
  const FalseServer server([](const Control& control, int) {
    const std::string http = "HTTP/1.1 400 Bad Request\r\n\r\n";
    send(control.fd(), http.data(), http.size(), MSG_NOSIGNAL);
  });
  EXPECT_THAT(server.client().error().text(), HasSubstr("is this port an iperf3 server's?"));
}

TEST(Iperf3Client, StatesOutOfTurnAreAnError) {
  const FalseServer server(
      [](const Control& control, int) { EXPECT_TRUE(control.send(State::test_running)); });
  EXPECT_THAT(server.client().error().why, HasSubstr("state 2 where 9 was due"));
}

TEST(Iperf3Client, AServerThatLeavesInTheMiddleIsAnErrorSoon) {
  const FalseServer server([](const Control& control, int listener) {
    const Descriptor stream = begin(control, listener);
    std::this_thread::sleep_for(milliseconds(30));
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(server.client(1ULL << 40));
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(5));
}

TEST(Iperf3Client, AServerThatIsStoppedSaysSo) {
  const FalseServer server([](const Control& control, int listener) {
    const Descriptor stream = begin(control, listener);
    EXPECT_TRUE(control.send(State::server_terminate));
    std::this_thread::sleep_for(milliseconds(50));
  });
  EXPECT_THAT(server.client(1ULL << 40).error().why, HasSubstr("was stopped"));
}

TEST(Iperf3Client, NobodyThereSaysWhatToDo) {
  ClientOptions options;
  options.server = {"127.0.0.1", 1};
  options.duration = seconds(1);
  EXPECT_THAT(run_client(options).error().text(), HasSubstr("start one there: iperf3 -s"));
}

}  // namespace
}  // namespace vtax::iperf3
