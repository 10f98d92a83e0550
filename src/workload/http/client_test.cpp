#include "workload/http/client.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "workload/http/http_for_test.h"
#include "workload/http/schedule.h"

namespace vtax::http {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr std::string_view kGoodResponse = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

Load load_on(std::uint16_t port, const char* path = "/a") {
  Load load;
  load.url = *parse_url(fmt::format("http://127.0.0.1:{}{}", port, path));
  load.rate = 200;
  load.duration = milliseconds(500);
  load.timeout = milliseconds(300);
  return load;
}

Result<ClientReport> run(const Load& load) {
  return run_client(load, RequestSource(load.url, load.host));
}

std::uint64_t failure(const ClientReport& report, const char* kind) {
  const auto found = report.side.failures.find(kind);
  return found == report.side.failures.end() ? 0 : found->second;
}

class Client : public testing::Test {
 protected:
  Client() {
    folder_.write("a", "hello");
    site_.emplace(Site::of(folder_.path()));
  }
  TestServer start(ServerOptions options = {}) { return {**site_, options}; }

  TestFolder folder_;
  std::optional<Result<Site>> site_;
};

TEST_F(Client, MakesEveryRequestThatIsDue) {
  TestServer server = start();
  for (const bool keep_alive : {false, true}) {
    for (const int threads : {1, 2}) {
      Load load = load_on(server.port());
      load.keep_alive = keep_alive;
      load.threads = threads;
      load.warm_up = milliseconds(100);
      load.interval = milliseconds(200);
      load.timeout = std::chrono::seconds(5);  // another program may hold the CPU
      const auto report = run(load);
      ASSERT_TRUE(report) << report.error().text();
      EXPECT_EQ(report->side.latency->count(), 100u);  // due in the span, all answered
      EXPECT_NEAR(static_cast<double>(report->side.transactions.value), 100, 20);  // answered in the span
      EXPECT_EQ(report->side.messages.value, 120u);                                // with the warm-up
      EXPECT_EQ(report->side.bytes.value, 5 * report->side.transactions.value);
      EXPECT_EQ(report->side.intervals.size(), 3u);
      std::uint64_t sum = 0;
      for (const IntervalReport& interval : report->side.intervals) sum += interval.transactions.value;
      EXPECT_EQ(sum, report->side.transactions.value);
      if (!keep_alive) {
        EXPECT_EQ(report->side.details["connections"], 120u);
      }
    }
  }
}

TEST_F(Client, GivesEachConnectionItsRequests) {
  TestServer server = start();
  Load load = load_on(server.port());
  load.mode = Load::Mode::connections;
  load.rate = 40;
  load.requests_per_connection = 5;
  load.timeout = std::chrono::seconds(5);
  const auto report = run(load);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->side.details["connections"], 20u);
  EXPECT_NEAR(static_cast<double>(report->side.messages.value), 100, 10);
  EXPECT_TRUE(report->side.failures.empty() || report->side.failures.begin()->first == "late");
}

TEST_F(Client, RunsAClosedLoop) {
  TestServer server = start();
  for (const bool keep_alive : {false, true}) {
    Load load = load_on(server.port());
    load.mode = Load::Mode::closed;
    load.connections = 8;
    load.keep_alive = keep_alive;
    load.timeout = std::chrono::seconds(5);
    const auto report = run(load);
    ASSERT_TRUE(report);
    EXPECT_GT(report->side.transactions.value, 100u);
    EXPECT_EQ(report->side.latency->count(), report->side.transactions.value);
    if (keep_alive) {
      EXPECT_EQ(report->side.details["connections"], 8u);
    }
  }
}

// A server that stops once for 250 ms: each request that was due meanwhile has waited for a part of that,
// though only one was on its way. A client that measures from the sending sees one slow request.
TEST(ClientLatency, CountsWhatAStoppedServerKeptFromBeingSent) {
  std::atomic<int> served = 0;
  const ScriptedServer server([&](int fd) {
    while (take_request(fd)) {
      if (++served == 20) std::this_thread::sleep_for(milliseconds(250));
      put(fd, kGoodResponse);
    }
  });
  Load load = load_on(server.port());
  load.keep_alive = true;
  load.connections = 1;
  load.timeout = std::chrono::seconds(5);
  const auto report = run(load);
  ASSERT_TRUE(report) << report.error().text();
  const auto slow = [](const nlohmann::json& histogram) {
    std::uint64_t count = 0;
    for (const auto& bucket : histogram["buckets"])
      if (bucket[0].get<std::uint64_t>() > 50'000'000) count += bucket[2].get<std::uint64_t>();
    return count;
  };
  EXPECT_GE(slow(to_json(*report->side.latency)), 35u);  // 40 were due in the first 200 ms of the stop
  EXPECT_LE(slow(report->side.details["service_time"]), 5u);
  EXPECT_GE(report->side.details["waited_for_connection"].get<int>(), 35);
}

struct Hostile {
  const char* name;
  std::function<void(int)> behave;
  const char* failure;
};

TEST(ClientFailures, AreToldApartAndNeverCountAsWork) {
  const std::vector<Hostile> all{
      {"says nothing", [](int fd) { take_request(fd), take_request(fd); }, "timeout"},
      {"says nothing more",
       [](int fd) { take_request(fd), put(fd, kGoodResponse.substr(0, 40)), take_request(fd); }, "timeout"},
      {"closes at once", [](int fd) { take_request(fd); }, "closed"},
      {"closes in the middle", [](int fd) { take_request(fd), put(fd, kGoodResponse.substr(0, 40)); },
       "closed"},
      {"resets",
       [](int fd) {
         take_request(fd);
         const linger now{1, 0};
         setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
       },
       "reset"},
      {"speaks another protocol", [](int fd) { put(fd, "SSH-2.0-OpenSSH\r\n\r\n"), take_request(fd); },
       "bad_response"},
      {"floods the head",
       [](int fd) {
         put(fd, "HTTP/1.1 200 OK\r\n");
         for (int i = 0; i < 5000; ++i) put(fd, "A: bbbbbbbbbbbbbbbbbb\r\n");
       },
       "bad_response"},
      {"floods after the response",
       [](int fd) {
         take_request(fd), put(fd, std::string(kGoodResponse) + std::string(1000, 'x')), take_request(fd);
       },
       "bad_response"},
      {"has an error",
       [](int fd) { take_request(fd), put(fd, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"); },
       "http_error"},
  };
  for (const Hostile& hostile : all) {
    const ScriptedServer server(hostile.behave);
    Load load = load_on(server.port());
    load.rate = 20;
    load.duration = milliseconds(150);
    load.timeout = milliseconds(150);
    const auto report = run(load);
    ASSERT_FALSE(report) << hostile.name;
    EXPECT_EQ(report.error().code, ExitCode::trial_failed) << hostile.name;
    EXPECT_THAT(report.error().text(), HasSubstr(hostile.failure)) << hostile.name;
    EXPECT_FALSE(report.error().next.empty()) << hostile.name;
  }
}

// Content without an end is given up when its time is over, and the client is not held up by it.
TEST(ClientFailures, AFloodEndsWithItsTime) {
  const ScriptedServer server([](int fd) {
    take_request(fd);
    put(fd, "HTTP/1.1 200 OK\r\n\r\n");
    const std::string much(100'000, 'x');
    while (::send(fd, much.data(), much.size(), MSG_NOSIGNAL) > 0) {
    }
  });
  Load load = load_on(server.port());
  load.rate = 10;
  load.duration = milliseconds(200);
  const auto start = std::chrono::steady_clock::now();
  const auto report = run(load);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(4));
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().text(), HasSubstr("timeout"));
}

TEST(ClientFailures, SomeAreReportedBesideTheWorkThatWasDone) {
  std::atomic<int> count = 0;
  const ScriptedServer server([&](int fd) {
    if (take_request(fd) && ++count % 4 != 0) put(fd, kGoodResponse);
  });
  Load load = load_on(server.port());
  const auto report = run(load);
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(failure(*report, "closed"), 25u);
  EXPECT_EQ(report->side.latency->count(), 75u);
  ASSERT_EQ(report->warnings.empty(), false);
  EXPECT_THAT(report->warnings[0], HasSubstr("25 closed"));
  EXPECT_THAT(report->warnings[1], HasSubstr("was not reached"));
}

TEST(ClientFailures, ARefusedConnectionIsOne) {
  const std::uint16_t port = ScriptedServer([](int) {}).port();  // nobody listens there any more
  for (const Load::Mode mode : {Load::Mode::requests, Load::Mode::connections, Load::Mode::closed}) {
    Load load = load_on(port);
    load.mode = mode;
    load.connections = 10;
    load.duration = milliseconds(100);
    const auto report = run(load);
    ASSERT_FALSE(report);
    EXPECT_THAT(report.error().text(), HasSubstr("refused\n  is the server running"));
  }
}

TEST_F(Client, ContentOfAnotherSizeIsNoFileOfTheSet) {
  folder_.write("dir00000/class0_0", "x");
  const FileSet set(1);
  for (const File& file : set.files()) folder_.write(file.path.substr(1), "short");
  site_.emplace(Site::of(folder_.path()));
  TestServer server = start();
  const Load load = load_on(server.port(), "/");
  const auto report = run_client(load, RequestSource(load.url, load.host, set));
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().text(), HasSubstr("bad_response"));
  EXPECT_THAT(report.error().text(), HasSubstr("another size"));
}

TEST(ClientLoad, ThatMakesNoSenseIsRefused) {
  const auto refused = [](auto change) {
    Load load = load_on(1);
    change(load);
    const auto report = run(load);
    return !report && report.error().code == ExitCode::usage;
  };
  EXPECT_TRUE(refused([](Load& load) { load.rate = 0; }));
  EXPECT_TRUE(refused([](Load& load) { load.rate = -1; }));
  EXPECT_TRUE(refused([](Load& load) { load.rate = NAN; }));
  EXPECT_TRUE(refused([](Load& load) { load.rate = 1e18; }));
  EXPECT_TRUE(refused([](Load& load) { load.threads = 0; }));
  EXPECT_TRUE(refused([](Load& load) { load.connections = 0; }));
  EXPECT_TRUE(refused([](Load& load) { load.connections = ~std::size_t{0}; }));
  EXPECT_TRUE(refused([](Load& load) { load.duration = {}; }));
  EXPECT_TRUE(refused([](Load& load) { load.timeout = {}; }));
  EXPECT_TRUE(refused([](Load& load) { load.interval = std::chrono::nanoseconds(1); }));
}

TEST(Schedule, IsFixedBeforehand) {
  const Schedule::Instant start{};
  Schedule even(start, 3, 0.5, false, Random(1));
  for (int i = 0; i < 300'000; ++i) even.advance();
  EXPECT_NEAR(static_cast<double>((even.due() - start).count()), 1e5 * 1e9 + 0.5e9 / 3, 2);
  Schedule poisson(start, 1000, 0, true, Random(1));
  for (int i = 0; i < 100'000; ++i) poisson.advance();
  EXPECT_NEAR(static_cast<double>((poisson.due() - start).count()), 100e9, 2e9);
}

}  // namespace
}  // namespace vtax::http
