#include "workload/traffic/generator.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "workload/traffic/tcp_socket.h"
#include "workload/traffic/test_pair.h"

namespace vtax {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Order stream(std::uint64_t bytes, std::uint64_t write_bytes) {
  Order order;
  order.kind = WorkKind::tcp_stream;
  order.bytes = Bytes(bytes);
  order.write_bytes = write_bytes;
  return order;
}

Order request_response(std::uint64_t transactions, std::uint64_t request, std::uint64_t response) {
  Order order;
  order.kind = WorkKind::tcp_rr;
  order.transactions = Transactions(transactions);
  order.request_bytes = request;
  order.response_bytes = response;
  return order;
}

Order in_flight(int several, std::uint64_t transactions) {
  Order order = request_response(transactions, 10, 30);
  order.in_flight = several;
  order.latency = true;
  return order;
}

Order received(std::uint64_t bytes) {
  Order order = stream(bytes, 10'000);
  order.direction = Direction::receive;
  return order;
}

// One side of one flow, with its own limit.
struct OneSide {
  Flow flow;
  SpanSignals signals;
  FlowRecord record;

  Result<Done> run(const Order& order, bool initiator, Descriptor& stream, std::chrono::nanoseconds limit) {
    flow.stream = std::move(stream);
    signals.measuring = true;
    const auto watchdog = Watchdog::start(limit);
    WindowProgress progress;
    const bool sends = (order.direction == Direction::send) == initiator;
    const FlowTask task{order,     0,       sends,  order.bytes.value, order.transactions.value,
                        *watchdog, signals, record, progress};
    const auto generator = make_generator(order, {});
    const Result<> outcome = initiator ? generator->initiate(flow, task) : generator->respond(flow, task);
    stream = std::move(flow.stream);
    if (!outcome) return fail(outcome.error());
    return Done{Bytes(record.bytes), Transactions(record.transactions)};
  }
};

// Both sides of an order, each with the same limit.
std::pair<Result<Done>, Result<Done>> both(const Order& order) {
  TestPair pair = make_test_pair();
  Result<Done> answered;
  OneSide here, there;
  std::thread responder([&] { answered = there.run(order, false, pair.right, seconds(20)); });
  const Result<Done> initiated = here.run(order, true, pair.left, seconds(20));
  responder.join();
  return {initiated, answered};
}

TEST(Generator, BothSidesCountExactlyTheOrderedWork) {
  for (const Order& order :
       {stream(1, 1), stream(8 << 20, 65536), stream(1'000'003, 1448), stream(100, 1 << 20),
        request_response(1, 1, 1), request_response(200, 100, 3000), in_flight(7, 1000), received(1 << 20)}) {
    const auto [initiated, answered] = both(order);
    ASSERT_TRUE(initiated) << initiated.error().text();
    ASSERT_TRUE(answered) << answered.error().text();
    EXPECT_EQ(*initiated, expected(order));
    EXPECT_EQ(*answered, expected(order));
  }
}

// One side against a peer that does `wrong` with its socket. The error's text.
enum class Side { initiator, responder };
std::string against(Side side, const Order& order, const std::function<void(Descriptor&)>& wrong) {
  TestPair pair = make_test_pair();
  std::thread peer([&] { wrong(pair.right); });
  const Result<Done> done = OneSide().run(order, side == Side::initiator, pair.left, milliseconds(300));
  pair.left.reset();
  peer.join();
  return done ? "no error" : done.error().text();
}

// Two ends of a connection over loopback.
TestPair tcp_pair() {
  const auto watchdog = Watchdog::start(seconds(10));
  SocketSettings settings;
  settings.receive_buffer = 4 << 20;  // a full window wakes a reader too
  const auto listener = tcp_listen({"127.0.0.1", 0}, settings);
  EXPECT_TRUE(listener && watchdog);
  auto left = tcp_connect({"127.0.0.1", tcp_port(listener->get()).value()}, 0, settings, *watchdog);
  auto right = tcp_accept(listener->get(), *watchdog);
  EXPECT_TRUE(left && right);
  return {std::move(*left), std::move(*right)};
}

// A read takes less than it has told the kernel to wait for, and what then comes is less than that too; the
// sender keeps its half open.
TEST(Generator, AReceiverThatGathersIsWokenForTheRest) {
  constexpr ssize_t kEarly = 7 * 128 * 1024 + 20'000, kLate = 60'000;
  Order order = received(kEarly + kLate);
  order.gather_bytes = 65'536;
  TestPair pair = tcp_pair();
  const std::vector<char> payload(kEarly);
  std::thread sender([&] {
    EXPECT_EQ(send(pair.right.get(), payload.data(), kEarly, MSG_NOSIGNAL), kEarly);
    std::this_thread::sleep_for(milliseconds(400));
    EXPECT_EQ(send(pair.right.get(), payload.data(), kLate, MSG_NOSIGNAL), kLate);
  });
  std::this_thread::sleep_for(milliseconds(200));
  const Result<Done> done = OneSide().run(order, true, pair.left, seconds(3));
  sender.join();
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->bytes.value, static_cast<std::uint64_t>(kEarly + kLate));
}

void swallow(int fd, std::size_t bytes) {
  std::vector<char> buffer(bytes);
  EXPECT_EQ(recv(fd, buffer.data(), bytes, MSG_WAITALL), static_cast<ssize_t>(bytes));
}

TEST(Generator, AStreamsPeerThatClosesEarly) {
  const std::string initiator = against(Side::initiator, stream(1000, 100), [](Descriptor& fd) {
    swallow(fd.get(), 1000);
    fd.reset();
  });
  EXPECT_EQ(
      initiator,
      "wait for what the other side counted: the other side closed the connection (after 0 of 16 bytes)");
  const std::string responder = against(Side::responder, stream(1000, 100), [](Descriptor& fd) {
    send_text(fd.get(), "0123456789");
    fd.reset();
  });
  EXPECT_EQ(responder,
            "tcp-stream: read the payload: the other side closed the connection (after 10 of 1000 bytes)");
}

TEST(Generator, AStreamsPeerThatAnswersGarbage) {
  const std::string text = against(Side::initiator, stream(1000, 100), [](Descriptor& fd) {
    swallow(fd.get(), 1000);
    send_text(fd.get(), "0123456789abcdef");
  });
  EXPECT_NE(text.find("tcp-stream: compare both sides' counts: 1000 bytes in 10 messages here, "),
            std::string::npos)
      << text;
}

TEST(Generator, AnRrPeerThatAnswersMoreThanItWasAsked) {
  Order order = in_flight(2, 4);
  const std::string text = against(Side::initiator, order, [](Descriptor& fd) {
    swallow(fd.get(), 20);
    send_text(fd.get(), std::string(60, 'x'));
    swallow(fd.get(), 20);
    send_text(fd.get(), std::string(60, 'x'));
  });
  EXPECT_EQ(text, "no error");  // exactly four
  order.transactions = Transactions(2);
  EXPECT_EQ(
      against(Side::responder, order, [](Descriptor& fd) { send_text(fd.get(), std::string(30, 'x')); }),
      "tcp-rr: the other side sent more than agreed");
}

TEST(Generator, APeerThatNeverAnswersMeetsTheTimeLimit) {
  const auto silent = [](Descriptor& fd) {
    char c;
    while (recv(fd.get(), &c, 1, 0) > 0) {
    }
  };
  EXPECT_NE(against(Side::initiator, stream(10, 10), silent).find("not done within 0.3 s"),
            std::string::npos);
  EXPECT_NE(against(Side::responder, stream(10, 10), silent).find("not done within 0.3 s"),
            std::string::npos);
  EXPECT_NE(
      against(Side::initiator, request_response(2, 1, 1), silent).find("wait for the response: not done"),
      std::string::npos);
}

TEST(Generator, APeerThatNeverReadsMeetsTheTimeLimit) {
  const std::string text = against(Side::initiator, stream(64 << 20, 65536),
                                   [](Descriptor&) { std::this_thread::sleep_for(milliseconds(500)); });
  EXPECT_NE(text.find("write the payload: not done within 0.3 s"), std::string::npos) << text;
}

TEST(Generator, APeerThatTricklesMeetsTheTimeLimit) {
  const std::string text = against(Side::responder, stream(1000, 1000), [](Descriptor& fd) {
    while (send(fd.get(), "x", 1, MSG_NOSIGNAL) == 1) std::this_thread::sleep_for(milliseconds(5));
  });
  EXPECT_NE(text.find("read the payload: not done within 0.3 s"), std::string::npos) << text;
}

TEST(Generator, AnRrPeerThatClosesInTheMiddle) {
  const std::string text = against(Side::initiator, request_response(2, 1, 4), [](Descriptor& fd) {
    swallow(fd.get(), 1);
    send_text(fd.get(), "abc");
    fd.reset();
  });
  EXPECT_EQ(text, "tcp-rr: wait for the response: the other side closed the connection (after 3 of 4 bytes)");
}

}  // namespace
}  // namespace vtax
