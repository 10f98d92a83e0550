#include "workload/endpoint.h"

#include <gtest/gtest.h>

#include <thread>

#include "workload/endpoint_client.h"
#include "workload/test_pair.h"

namespace vtax {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint16_t port = 42011;

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

TEST(Endpoint, TwoOfThemDoAWindowOverLoopback) {
  Served server, client;
  ASSERT_TRUE(server->listen({"127.0.0.1", port}));
  ASSERT_TRUE(client->connect({"127.0.0.1", port}, 0, seconds(5)));
  ASSERT_TRUE(server->accept(seconds(5)));
  ASSERT_TRUE(server->announce(1));
  const RunRequest respond = request(false), initiate = request(true);
  ASSERT_TRUE(server->start(respond));
  ASSERT_TRUE(client->start(initiate));
  const auto there = server->finish(respond), here = client->finish(initiate);
  ASSERT_TRUE(there) << there.error().text();
  ASSERT_TRUE(here) << here.error().text();
  EXPECT_EQ(here->done, expected(initiate.order));
  EXPECT_GT(here->duration.count(), 0);
  ASSERT_EQ(here->devices.size(), 1U);
  EXPECT_GE(here->devices[0].sent_bytes.value, std::uint64_t{1} << 20);
}

TEST(Endpoint, OrdersOutOfPlaceAreErrorsAndItGoesOnServing) {
  Served end;
  EXPECT_NE(end->accept(seconds(1)).error().text().find("accept before listen"), std::string::npos);
  EXPECT_NE(end->start(request(true)).error().text().find("run before connect"), std::string::npos);
  EXPECT_NE(end->ask({{"do", "dance"}}, seconds(1)).error().text().find("'dance' is not known"),
            std::string::npos);
  EXPECT_FALSE(end->ask({{"do", "listen"}, {"ipv4", "127.0.0.1"}, {"port", 70000}}, seconds(1)));
  EXPECT_FALSE(end->listen({"not an address", port}));
  EXPECT_FALSE(end->announce(99));
  EXPECT_TRUE(end->announce(0));
}

TEST(Endpoint, ARefusedConnectionSaysWhere) {
  Served end;
  const auto refused = end->connect({"127.0.0.1", 1}, 0, seconds(5));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("connect to 127.0.0.1:1"), std::string::npos);
}

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
        std::pair{R"({"state":"done","bytes":5,"transactions":0,"duration_ns":1,"devices":[]})",
                  "were ordered"},
        std::pair{R"({"state":"done","bytes":1048576,"transactions":0,"duration_ns":1,"devices":[]})",
                  "not the devices"},
        std::pair{R"({"state":"done","bytes":1048576,"transactions":0,"duration_ns":-1,"devices":[]})",
                  "duration_ns"},
        std::pair{R"({"state":"done","bytes":1048576,"transactions":0,"duration_ns":1,"devices":[7]})",
                  "devices"},
        std::pair{R"({"state":"armed"})", "'armed' where 'done' was due"},
        std::pair{R"({"bytes":1})", "'state' is missing"},
        std::pair{R"({"state":"error","what":"step","why":"reason"})", "guest1: step: reason"}));

}  // namespace
}  // namespace vtax
