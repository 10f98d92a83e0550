#include "workload/traffic/endpoint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>

#include "core/noise_for_test.h"
#include "workload/traffic/endpoint_client.h"
#include "workload/traffic/test_pair.h"

namespace vtax {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint16_t kPort = 42011;

// An endpoint that serves in a thread until its client goes.
class Served {
 public:
  Served() {
    TestPair pair = make_test_pair();
    client_.emplace(ControlChannel(std::move(pair.left), "the endpoint"));
    thread_ = std::thread([fd = std::move(pair.right)]() mutable {
      static_cast<void>(Endpoint(ControlChannel(std::move(fd), "the controller")).serve());
    });
  }
  ~Served() {
    client_.reset();
    thread_.join();
  }
  EndpointClient& operator*() { return *client_; }
  EndpointClient* operator->() { return &*client_; }

 private:
  std::optional<EndpointClient> client_;
  std::thread thread_;
};

RunRequest request(bool initiator) {
  RunRequest out;
  out.order.bytes = Bytes(1 << 20);
  out.order.write_bytes = 10'000;
  out.initiator = initiator;
  out.window = true;
  out.lead = initiator ? milliseconds(20) : milliseconds(0);
  out.trail = milliseconds(1);
  out.limit = seconds(20);
  out.devices = {"lo"};
  return out;
}

FlowSetup setup_for(const Order& order) {
  FlowSetup setup{order.flows, is_udp(order.kind), {}, order.sockets};
  setup.token[3] = 7;
  return setup;
}

// The reports of initiator and responder.
std::pair<Result<RunReport>, Result<RunReport>> both(const Order& order, Served& server, Served& client) {
  const FlowSetup setup = setup_for(order);
  const auto at = server->listen({"127.0.0.1", 0}, setup);
  if (!at) return {fail(at.error()), fail(at.error())};
  Result<> step = server->tell_accept(setup, false, seconds(5));
  if (step) step = client->connect({"127.0.0.1", *at}, 0, setup, seconds(5));
  if (!step) return {fail(step.error()), fail(step.error())};
  if (const auto accepted = server->wait_for("done", seconds(5)); !accepted)
    return {fail(accepted.error()), fail(accepted.error())};
  RunRequest respond = request(false), initiate = request(true);
  respond.order = initiate.order = order;
  step = server->start(respond);
  if (step) step = client->start(initiate);
  if (!step) return {fail(step.error()), fail(step.error())};
  auto there = server->finish(respond), here = client->finish(initiate);
  return {std::move(here), std::move(there)};
}

Order amount(WorkKind kind) {
  Order order;
  order.kind = kind;
  if (is_stream(kind)) {
    order.bytes = Bytes(3'000'000);
    order.write_bytes = 1400;
  } else {
    order.transactions = Transactions(301);
    order.request_bytes = 20;
    order.response_bytes = 90;
  }
  return order;
}

class EveryKind : public ::testing::TestWithParam<WorkKind> {};

TEST_P(EveryKind, DoesAnAmountOverLoopback) {
  for (const int flows : {1, 3}) {
    Served server, client;
    Order order = amount(GetParam());
    order.flows = flows;
    if (GetParam() == WorkKind::udp_stream)
      order.bits_per_second = 400'000'000 / static_cast<std::uint64_t>(flows);
    const auto [here, there] = both(order, server, client);
    ASSERT_TRUE(here) << here.error().text();
    ASSERT_TRUE(there) << there.error().text();
    EXPECT_EQ(here->done(), expected(order));
    if (!is_udp(GetParam())) {
      EXPECT_EQ(there->done(), expected(order));
    } else {
      EXPECT_GT(there->done().bytes.value, expected(order).bytes.value / 2);  // datagrams may be lost
    }
    EXPECT_GT(here->side.duration.count(), 0);
  }
}

TEST_P(EveryKind, WorksForATimeWithoutItsWarmUp) {
  for (const Direction direction : {Direction::send, Direction::receive, Direction::both}) {
    if (!is_stream(GetParam()) && direction != Direction::send) continue;
    Served server, client;
    Order order = amount(GetParam());
    order.bytes = Bytes(0);
    order.transactions = Transactions(0);
    order.duration = milliseconds(200);
    order.warmup = milliseconds(100);
    order.interval = milliseconds(50);
    order.flows = direction == Direction::both ? 2 : 1;
    order.direction = direction;
    order.latency = true;
    order.patience = milliseconds(100);
    const auto [here, there] = both(order, server, client);
    ASSERT_TRUE(here) << here.error().text();
    ASSERT_TRUE(there) << there.error().text();
    // A receiver ends with its sender, and may have begun later on a busy computer.
    EXPECT_GE(here->side.duration, milliseconds(direction == Direction::send ? 200 : 100));
    EXPECT_LT(here->side.duration, milliseconds(1000));
    for (const auto* side : {&here->side, &there->side}) {
      EXPECT_GT(side->bytes.value, 0U);
      std::uint64_t sum = 0;
      for (const IntervalReport& interval : side->intervals) sum += interval.bytes.value;
      EXPECT_LE(sum, side->bytes.value + 2'000'000);
      EXPECT_GE(side->intervals.size(), 2U);
      EXPECT_FALSE(side->metrics.empty());
      // Of whoever sends over connections that stay.
      const bool sends = !is_stream(GetParam()) || direction == Direction::both ||
                         (direction == Direction::send) == (side == &here->side);
      const bool knows = GetParam() == WorkKind::tcp_stream || GetParam() == WorkKind::tcp_rr;
      EXPECT_EQ(std::any_of(side->metrics.begin(), side->metrics.end(),
                            [](const Metric& metric) { return metric.name == "retransmits"; }),
                sends && knows);
    }
    if (!is_stream(GetParam())) {
      ASSERT_TRUE(here->side.latency);
      EXPECT_GT(here->side.latency->quantile(0.5), 0U);
      EXPECT_GT(here->side.transactions.value, 10U);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Workloads, EveryKind,
                         ::testing::Values(WorkKind::tcp_stream, WorkKind::udp_stream, WorkKind::tcp_rr,
                                           WorkKind::udp_rr, WorkKind::tcp_crr),
                         [](const auto& kind) {
                           std::string text(name(kind.param));
                           std::replace(text.begin(), text.end(), '-', '_');
                           return text;
                         });

TEST(Endpoint, EveryWayOfSendingIsTheSameWork) {
  for (const Copy copy : {Copy::user, Copy::sendfile, Copy::zero_copy}) {
    Served server, client;
    Order order = amount(WorkKind::tcp_stream);
    order.copy = copy;
    order.discard = copy == Copy::sendfile;
    order.separate = copy == Copy::user;
    SCOPED_TRACE(testing::Message() << "copy " << static_cast<int>(copy));
    const auto [here, there] = both(order, server, client);
    ASSERT_TRUE(there) << there.error().text();
    EXPECT_EQ(there->done(), expected(order));
  }
}

TEST(Endpoint, BatchedDatagramsAreAllCounted) {
  Served server, client;
  Order order = amount(WorkKind::udp_stream);
  order.batch = true;
  order.bits_per_second = 300'000'000;
  const auto [here, there] = both(order, server, client);
  ASSERT_TRUE(there) << there.error().text();
  EXPECT_EQ(here->done(), expected(order));
  const std::uint64_t lost = there->side.failures.at("lost");
  EXPECT_EQ(there->done().bytes.value + lost * order.write_bytes, expected(order).bytes.value);
}

TEST(Endpoint, StrangersDoNotGetIn) {
  Served server, client, stranger;
  const Order order = amount(WorkKind::tcp_rr);
  const FlowSetup setup = setup_for(order);
  const auto at = server->listen({"127.0.0.1", 0}, setup);
  ASSERT_TRUE(at);
  ASSERT_TRUE(server->tell_accept(setup, false, seconds(5)));
  FlowSetup guessed = setup;
  guessed.token[0] = 1;
  EXPECT_FALSE(stranger->connect({"127.0.0.1", *at}, 0, guessed, seconds(1)));
  EXPECT_TRUE(client->connect({"127.0.0.1", *at}, 0, setup, seconds(5)));
  EXPECT_TRUE(server->wait_for("done", seconds(5)));
}

TEST(Endpoint, AWindowReadsItsDevices) {
  Served server, client;
  const FlowSetup setup = setup_for(Order{});
  const auto at = server->listen({"127.0.0.1", kPort}, setup);
  ASSERT_TRUE(at) << at.error().text();
  EXPECT_EQ(*at, kPort);
  ASSERT_TRUE(server->tell_accept(setup, false, seconds(5)));
  ASSERT_TRUE(client->connect({"127.0.0.1", kPort}, 0, setup, seconds(5)));
  ASSERT_TRUE(server->wait_for("done", seconds(5)));
  ASSERT_TRUE(server->announce(1));
  const RunRequest respond = request(false), initiate = request(true);
  ASSERT_TRUE(server->start(respond));
  ASSERT_TRUE(client->start(initiate));
  const auto there = server->finish(respond), here = client->finish(initiate);
  ASSERT_TRUE(there) << there.error().text();
  ASSERT_TRUE(here) << here.error().text();
  EXPECT_EQ(here->done(), expected(initiate.order));
  ASSERT_EQ(here->devices.size(), 1U);
  EXPECT_GE(here->devices[0].sent_bytes.value, std::uint64_t{1} << 20);
}

TEST(Endpoint, OrdersOutOfPlaceAreErrorsAndItGoesOnServing) {
  Served end;
  ASSERT_TRUE(end->tell_accept({}, false, seconds(1)));
  EXPECT_NE(end->wait_for("done", seconds(1)).error().text().find("accept before listen"), std::string::npos);
  EXPECT_NE(end->start(request(true)).error().text().find("run before connect"), std::string::npos);
  EXPECT_NE(end->ask({{"do", "dance"}}, seconds(1)).error().text().find("'dance' is not known"),
            std::string::npos);
  EXPECT_FALSE(end->ask({{"do", "listen"}, {"ipv4", "127.0.0.1"}, {"port", 70000}}, seconds(1)));
  EXPECT_FALSE(end->listen({"not an address", kPort}, {}));
  EXPECT_FALSE(end->announce(99));
  EXPECT_TRUE(end->announce(0));
}

TEST(Endpoint, ARefusedConnectionSaysWhere) {
  Served end;
  const auto refused = end->connect({"127.0.0.1", 1}, 0, {}, seconds(5));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("connect to 127.0.0.1:1"), std::string::npos);
}

#define LIED_SIDE(bytes, duration)                                                              \
  R"({"side":"client","duration_ns":)" duration R"(,"work":{"bytes":)" bytes                    \
  R"(,"messages":0,"transactions":0},"cpu":{"user_ns":0,"system_ns":0,"voluntary_switches":0,)" \
  R"("involuntary_switches":0},"failures":{},"metrics":[],"intervals":[]})"

// An endpoint in a guest may say anything.
class Liar : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(Liar, IsCaught) {
  TestPair pair = make_test_pair();
  EndpointClient client(ControlChannel(std::move(pair.left), "guest1"));
  send_text(pair.right.get(), std::string(GetParam().first) + "\n");
  const auto report = client.finish(request(true));
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().text().find(GetParam().second), std::string::npos) << report.error().text();
}

INSTANTIATE_TEST_SUITE_P(
    Answers, Liar,
    ::testing::Values(
        std::pair{R"({"state":"done","devices":[],"side":)" LIED_SIDE("5", "1") "}", "were ordered"},
        std::pair{R"({"state":"done","devices":[],"side":)" LIED_SIDE("1048576", "1") "}", "not the devices"},
        std::pair{R"({"state":"done","devices":[],"side":)" LIED_SIDE("1048576", "-1") "}", "duration_ns"},
        std::pair{R"({"state":"done","devices":[7],"side":)" LIED_SIDE("1048576", "1") "}", "devices"},
        std::pair{R"({"state":"done","devices":[],"side":{"side":"client"}})", "duration_ns"},
        std::pair{R"({"state":"armed"})", "'armed' where 'done' was due"},
        std::pair{R"({"bytes":1})", "'state' is missing"},
        std::pair{R"({"state":"error","what":"step","why":"reason"})", "guest1: step: reason"}));

// A guest's answers are hostile: whatever is done to a good one, the client says what is wrong or takes what
// it can check. Nothing may throw, hang or crash.
TEST(EndpointClient, NoiseIsAnErrorOrAReport) {
  SideReport side;
  side.side = "client";
  side.duration = std::chrono::nanoseconds(1234567);
  side.bytes = Bytes(1 << 20);
  side.failures = {{"lost", 3}};
  side.metrics = {{"rate", 1.5e9, "bit/s", true}};
  side.latency.emplace();
  side.latency->record(12345, 7);
  side.intervals = {{milliseconds(0), milliseconds(5), Bytes(7), Transactions(9)}};
  const std::string good =
      RunReport{side, {{"eth0", Packets(1), Packets(2), Bytes(3), Bytes(4)}}}.to_json().dump();
  std::mt19937_64 random(17);
  int taken = 0;
  for (int round = 0; round < 3000; ++round) {
    TestPair pair = make_test_pair();
    EndpointClient client(ControlChannel(std::move(pair.left), "guest1"));
    send_text(pair.right.get(), with_noise(good, random) + "\n");
    pair.right.reset();  // so that a line without its end is not waited for
    RunRequest wanted = request(true);
    wanted.devices = {"eth0"};
    const auto report = client.finish(wanted);
    if (report) {
      ++taken;
      EXPECT_EQ(report->side.bytes, Bytes(1 << 20));
      EXPECT_EQ(report->devices.size(), 1U);
    } else {
      EXPECT_LT(report.error().text().size(), 4096U);
    }
  }
  EXPECT_GT(taken, 0) << "the noise spares nothing";
}

}  // namespace
}  // namespace vtax
