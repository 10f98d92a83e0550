#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>
#include <vector>

#include "core/files.h"
#include "core/subprocess.h"
#include "workload/session/handshake.h"
#include "workload/traffic/tcp_socket.h"

// `vtax workload` from outside: both sides are the built program, over loopback.
namespace vtax {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr char kToken[] = "VTAX_TOKEN=a-token-for-tests";

// A program of ours that goes on while the test does something else.
class Background {
 public:
  explicit Background(const std::vector<std::string>& arguments)
      : log_(std::filesystem::temp_directory_path() /
             fmt::format("vtax-traffic-test-{}-{}", getpid(), ++started)) {
    pid_ = fork();
    if (pid_ != 0) return;
    setenv("VTAX_TOKEN", "a-token-for-tests", 1);
    std::vector<char*> argv{const_cast<char*>(VTAX_PROGRAM)};
    for (const std::string& word : arguments) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    if (freopen(log_.c_str(), "w", stdout) == nullptr) _exit(126);
    execv(argv[0], argv.data());
    _exit(127);
  }
  ~Background() {
    end(SIGKILL);
    std::filesystem::remove(log_);
  }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  [[nodiscard]] std::string output() const { return read_text(log_).value_or(""); }
  void signal(int number) const { kill(pid_, number); }

  // The exit code, or 128 + signal.
  int end(int number) {
    if (pid_ > 0) {
      kill(pid_, number);
      int status = 0;
      waitpid(pid_, &status, 0);
      pid_ = -1;
      code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return code_;
  }

  bool says(const std::string& text) const {
    for (int i = 0; i < 100; ++i) {
      if (output().find(text) != std::string::npos) return true;
      std::this_thread::sleep_for(milliseconds(50));
    }
    return false;
  }

 private:
  static inline int started = 0;

  std::filesystem::path log_;
  pid_t pid_ = -1;
  int code_ = -1;
};

class Server : public Background {
 public:
  Server() : Background({"workload", "server", "--bind", "127.0.0.1", "--port", "0", "--for", "2m"}) {
    if (!says("port ")) return;
    const std::string text = output();
    port = text.substr(text.find("port ") + 5);
    port = port.substr(0, port.find('\n'));
  }
  std::string port;
};

Finished vtax(std::vector<std::string> arguments, const std::string& environment = kToken) {
  arguments.insert(arguments.begin(), {VTAX_PROGRAM, "workload"});
  const auto done =
      run_command({.arguments = arguments, .environment = {environment}, .time_limit = seconds(40)});
  return done ? *done : Finished{};
}

nlohmann::json json_of(const Finished& finished) {
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  return nlohmann::json::parse(finished.out, nullptr, false);
}

TEST(Traffic, EveryWorkloadReportsBothSidesInOneShape) {
  const Server server;
  ASSERT_FALSE(server.port.empty());
  for (const char* workload : {"tcp-stream", "udp-stream", "tcp-rr", "udp-rr", "tcp-crr", "paced"}) {
    const auto outcome = json_of(vtax({workload, "127.0.0.1", "--port", server.port, "--duration", "300ms",
                                       "--warmup", "50ms", "--interval", "100ms", "--format", "json"}));
    ASSERT_TRUE(outcome.is_object()) << workload;
    EXPECT_EQ(outcome["workload"], workload);
    EXPECT_EQ(outcome["schema"], 1);
    ASSERT_EQ(outcome["repeats"][0]["sides"].size(), 2U);
    for (const auto& side : outcome["repeats"][0]["sides"]) {
      EXPECT_GT(side["work"]["bytes"], 0) << workload;
      EXPECT_GE(side["duration_ns"], 300'000'000) << workload;
      EXPECT_GT(side["cpu"]["user_ns"].get<std::int64_t>() + side["cpu"]["system_ns"].get<std::int64_t>(), 0);
      EXPECT_FALSE(side["intervals"].empty());
      for (const char* key : {"side", "failures", "metrics", "details"})
        EXPECT_TRUE(side.contains(key)) << key;
    }
    EXPECT_GT(outcome["summary"]["mean"], 0);
  }
}

TEST(Traffic, AnAmountIsDoneToTheByte) {
  const Server server;
  const auto outcome = json_of(vtax({"tcp-stream", "127.0.0.1", "--port", server.port, "--bytes", "5M",
                                     "--flows", "3", "--direction", "receive", "--format", "json"}));
  for (const auto& side : outcome["repeats"][0]["sides"]) EXPECT_EQ(side["work"]["bytes"], 5 * 1024 * 1024);
  const auto exchanges = json_of(vtax(
      {"tcp-rr", "127.0.0.1", "--port", server.port, "-n", "777", "--in-flight", "5", "--format", "json"}));
  EXPECT_EQ(exchanges["repeats"][0]["sides"][1]["work"]["transactions"], 777);
}

// A computer that stops for a moment makes the sender late, and what is too late is left out: then less
// arrives, but never more.
TEST(Traffic, ASetRateIsKept) {
  const Server server;
  double closest = 0;
  for (int attempt = 0; attempt < 5 && closest < 18e6; ++attempt) {
    const auto outcome = json_of(vtax({"udp-stream", "127.0.0.1", "--port", server.port, "--rate", "20M",
                                       "--duration", "500ms", "--warmup", "100ms", "--format", "json"}));
    const double rate = outcome["summary"]["mean"].get<double>();
    EXPECT_LT(rate, 22e6);
    closest = std::max(closest, rate);
  }
  EXPECT_GT(closest, 18e6);
}

TEST(Traffic, AWideIntervalIsSaidLoudly) {
  const Server server;
  const auto done = vtax({"tcp-rr", "127.0.0.1", "--port", server.port, "-n", "20", "--repeat", "2,3",
                          "--half-width", "0.000001"});
  EXPECT_EQ(done.exit_code, 0);
  EXPECT_THAT(done.out, HasSubstr("! The 95.0 % confidence interval"));
}

TEST(Traffic, WhoHasNotTheTokenIsRefused) {
  const Server server;
  const auto refused = vtax({"tcp-rr", "127.0.0.1", "--port", server.port}, "VTAX_TOKEN=another-token");
  EXPECT_EQ(refused.exit_code, 4);
  EXPECT_THAT(refused.err, HasSubstr("refuses this token"));
  EXPECT_TRUE(server.says("without the token was refused"));
  // Garbage and silence do not keep others out.
  const auto watchdog = Watchdog::start(seconds(5));
  const auto port = static_cast<std::uint16_t>(std::stoi(server.port));
  const auto garbage = tcp_connect({"127.0.0.1", port}, 0, {}, *watchdog);
  const auto silent = tcp_connect({"127.0.0.1", port}, 0, {}, *watchdog);
  ASSERT_TRUE(garbage && silent);
  const std::string noise(100'000, '\xff');
  EXPECT_GT(send(garbage->get(), noise.data(), noise.size(), MSG_NOSIGNAL | MSG_DONTWAIT), 0);
  EXPECT_EQ(vtax({"tcp-rr", "127.0.0.1", "--port", server.port, "-n", "10"}).exit_code, 0);
}

// Strangers that come again and again, each as soon as it is turned away, more of them than there are
// sessions.
TEST(Traffic, StrangersTakeNoPlace) {
  const Server server;
  const auto port = static_cast<std::uint16_t>(std::stoi(server.port));
  std::atomic<bool> over{false};
  std::vector<std::jthread> strangers;
  for (int i = 0; i < 30; ++i)
    strangers.emplace_back([&over, port, i] {
      const auto watchdog = Watchdog::start(seconds(60));
      while (!over) {
        const auto one = tcp_connect({"127.0.0.1", port}, 0, {}, *watchdog);
        if (!one) continue;
        const std::string noise = i % 3 == 0 ? "{\"proof\":\"00\",\"challenge\":\"00\"}\n" : "nonsense\n";
        if (i % 3 != 2) send(one->get(), noise.data(), noise.size(), MSG_NOSIGNAL);
        std::this_thread::sleep_for(milliseconds(i % 3 == 2 ? 700 : 30));
      }
    });
  std::this_thread::sleep_for(milliseconds(500));
  for (int i = 0; i < 8; ++i) {
    const auto done = vtax({"tcp-rr", "127.0.0.1", "--port", server.port, "-n", "10"});
    EXPECT_EQ(done.exit_code, 0) << i << done.err;
  }
  over = true;
  strangers.clear();
  EXPECT_TRUE(server.says("connections without the token were refused"));
}

// A seeded stream of what might break a greeting; whoever has the token is served after it all.
TEST(Traffic, NoiseBeforeTheTokenHarmsNobody) {
  const Server server;
  const auto port = static_cast<std::uint16_t>(std::stoi(server.port));
  std::mt19937_64 random(11);
  const std::string whole = "{\"proof\":\"" + std::string(64, 'a') + "\",\"challenge\":\"bb\"}\n";
  for (int i = 0; i < 1500; ++i) {
    const auto watchdog = Watchdog::start(seconds(5));
    const auto one = tcp_connect({"127.0.0.1", port}, 0, {}, *watchdog);
    ASSERT_TRUE(one) << i << one.error().text();
    std::string said = whole;
    for (std::uint64_t n = random() % 8; n > 0; --n) {
      const std::size_t at = random() % said.size();
      if (random() % 2 == 0)
        said[at] = static_cast<char>(random());
      else
        said.insert(at, random() % 3000, static_cast<char>(random()));
    }
    send(one->get(), said.data(), said.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  EXPECT_EQ(vtax({"tcp-rr", "127.0.0.1", "--port", server.port, "-n", "10"}).exit_code, 0);
}

TEST(Traffic, ATokenInTheCommandLineIsRefused) {
  for (const auto& arguments :
       {std::vector<std::string>{"tcp-rr", "127.0.0.1", "--token", "a-token-for-tests"},
        {"server", "--bind", "127.0.0.1", "--token=a-token-for-tests"}}) {
    const auto done = vtax(arguments);
    EXPECT_EQ(done.exit_code, 2);
    EXPECT_THAT(done.err, HasSubstr("--token-file"));
    EXPECT_THAT(done.err, testing::Not(HasSubstr("a-token-for-tests")));
  }
}

TEST(Traffic, EveryWayToWriteAnAddressServesEveryVerb) {
  std::vector<std::string> hosts{"localhost", "::1", "[::1]"};
  for (const std::string& host : hosts) {
    Background server({"workload", "server", "--bind", host, "--port", "0", "--for", "1m"});
    ASSERT_TRUE(server.says("port ")) << host;
    std::string port = server.output().substr(server.output().find("port ") + 5);
    port = port.substr(0, port.find('\n'));
    for (const char* workload : {"tcp-stream", "udp-stream", "tcp-rr", "udp-rr", "tcp-crr"}) {
      const auto done = vtax({workload, host, "--port", port, "--duration", "100ms", "--warmup", "0"});
      EXPECT_EQ(done.exit_code, 0) << workload << " " << host << done.err;
    }
  }
  EXPECT_THAT(vtax({"tcp-rr", "no-such-computer.invalid"}).err, HasSubstr("its name is not known here"));
}

// ip6-localhost and the computer's own name may be missing; a name of the test's own /etc/hosts is not to be
// had: so a getent that knows it.
TEST(Traffic, AComputerIsFoundByItsName) {
  const Server server;
  std::string pattern = testing::TempDir() + "/vtax-getent-XXXXXX";
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  std::ofstream(pattern + "/getent") << "#!/bin/sh\n[ $2 = peer ] && echo '127.0.0.1 STREAM peer'\n";
  std::filesystem::permissions(pattern + "/getent", std::filesystem::perms::owner_all);
  const auto done = run_command({.arguments = {VTAX_PROGRAM, "workload", "tcp-rr", "peer", "--port",
                                               server.port, "-t", "100ms", "--warmup", "0"},
                                 .environment = {kToken, "PATH=" + pattern + ":" + std::getenv("PATH")}});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->exit_code, 0) << done->err;
  std::filesystem::remove_all(pattern);
}

// As iperf3's users know it: a line an interval, what was sent again, and -R.
TEST(Traffic, TextHasIntervalsAndRetransmits) {
  const Server server;
  for (const char* direction : {"--direction=send", "-R"}) {
    const auto done = vtax({"tcp-stream", "127.0.0.1", "--port", server.port, "-t", "300ms", "--warmup", "0",
                            "-i", "100ms", direction});
    ASSERT_EQ(done.exit_code, 0) << done.err;
    for (const char* line : {"  0.0 to   0.1 s  ", "  0.2 to   0.3 s  ", "retransmits "})
      EXPECT_THAT(done.out, HasSubstr(line)) << direction;
    // It is the sender that sends again.
    const std::string sender = std::string(direction) == "-R" ? "server" : "client";
    const std::size_t at = done.out.find("retransmits"), client = done.out.find("client\n"),
                      other = done.out.find("server\n");
    const std::string before = at > client && (client > other || at < other) ? "client" : "server";
    EXPECT_EQ(before, sender) << done.out;
  }
  EXPECT_THAT(vtax({"tcp-stream", "127.0.0.1", "-R", "--direction", "both"}).err, HasSubstr("excludes"));
}

// It has the token, and takes connections to answer none.
class SilentServer {
 public:
  SilentServer() {
    auto control = tcp_listen({"127.0.0.1", 0}), data = tcp_listen({"127.0.0.1", 0});
    EXPECT_TRUE(control && data);
    control_ = std::move(*control);
    data_ = std::move(*data);
    port = tcp_port(control_.get()).value();
    thread_ = std::jthread([this] { EXPECT_TRUE(serve()); });
  }
  std::uint16_t port = 0;

 private:
  Result<> serve() {
    const auto secret = Secret::from_text("a-token-for-tests");
    const auto watchdog = Watchdog::start(seconds(30));
    auto connection = tcp_accept(control_.get(), *watchdog);
    if (!connection) return fail(connection.error());
    ControlChannel channel(std::move(*connection), "the client");
    const auto challenge = make_challenge();
    if (auto sent = channel.send(greeting_with(*challenge)); !sent) return sent;
    const auto answer = channel.receive(seconds(5));
    if (!answer) return fail(answer.error());
    const auto theirs = challenge_of(*answer, *challenge, *secret);
    if (!theirs) return fail(theirs.error());
    if (auto sent = channel.send(welcome_with(*theirs, *secret)); !sent) return sent;
    while (true) {
      const auto order = channel.receive(seconds(30));
      if (!order) return {};  // the client is gone
      const auto what = order->text("do", 32).value_or("");
      nlohmann::json reply{{"state", what == "run" ? "armed" : "done"}};
      if (what == "listen") reply["port"] = tcp_port(data_.get()).value();
      if (what == "accept") {
        auto flow = tcp_accept(data_.get(), *watchdog);
        if (!flow) return fail(flow.error());
        char token[32];
        static_cast<void>(recv(flow->get(), token, sizeof kToken, MSG_WAITALL));
        static_cast<void>(send(flow->get(), "\0\0\0\0", 4, MSG_NOSIGNAL));
        flows_.push_back(std::move(*flow));
      }
      if (auto sent = channel.send(reply); !sent) return {};
    }
  }

  Descriptor control_, data_;
  std::vector<Descriptor> flows_;
  std::jthread thread_;
};

TEST(Traffic, AServerThatAnswersNothingHoldsNobody) {
  for (const char* workload : {"tcp-crr", "tcp-rr"}) {
    SilentServer server;
    const auto start = std::chrono::steady_clock::now();
    const auto done =
        vtax({workload, "127.0.0.1", "--port", std::to_string(server.port), "-t", "200ms", "--warmup", "0"});
    EXPECT_EQ(done.exit_code, 4) << workload << done.out;
    EXPECT_THAT(done.err, HasSubstr("not done within 10.2 s")) << workload;
    EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(12)) << workload;
  }
}

// Of those that need no other side: what was done by then, in a second or two.
TEST(Traffic, AnInterruptionLeavesWhatALocalGeneratorDid) {
  std::string pattern = (std::filesystem::temp_directory_path() / "vtax-interrupted-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  const std::string file = (folder / "disk").string();
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"disk", "--file", file, "--size", "4M", "--duration", "30s"},
        {"disk", "--file", file, "--size", "4M", "--duration", "30s", "--operation", "write", "--pattern",
         "random"},
        {"disk", "--file", file, "--size", "4M", "--duration", "30s", "--direct", "--depth", "8"},
        {"linpack", "--size", "50", "--duration", "30s"},
        {"softload", "--duration", "30s"},
        {"memory", "--array", "16M", "--rounds", "10000"}}) {
    std::vector<std::string> arguments{"workload"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    arguments.insert(arguments.end(), {"--format", "json"});
    Background generator(arguments);
    std::this_thread::sleep_for(milliseconds(2500));
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(generator.end(SIGINT), 130) << fmt::format("{}", words[0]) << generator.output();
    EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(5)) << words[0];
    const auto outcome = nlohmann::json::parse(generator.output(), nullptr, false);
    ASSERT_TRUE(outcome.is_object()) << words[0] << generator.output();
    EXPECT_EQ(outcome["interrupted"], true) << words[0];
    ASSERT_EQ(outcome["repeats"].size(), 1U) << words[0];
    const auto& side = outcome["repeats"][0]["sides"][0];
    EXPECT_GT(side["duration_ns"], 100'000'000) << words[0];
    EXPECT_LT(side["duration_ns"], 10'000'000'000) << words[0];
    EXPECT_GT(side["metrics"][0]["value"], 0) << words[0];
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  std::filesystem::remove_all(folder);
}

TEST(Traffic, AnInterruptionLeavesWhatWasMeasured) {
  const Server server;
  for (const std::vector<std::string>& more : {std::vector<std::string>{"tcp-stream"},
                                               {"tcp-stream", "--direction", "receive"},
                                               {"tcp-stream", "--direction", "both", "--flows", "2"},
                                               {"udp-stream", "--rate", "20M"},
                                               {"tcp-rr"},
                                               {"udp-rr"},
                                               {"tcp-crr"}}) {
    std::vector<std::string> arguments{"workload",  more[0],      "127.0.0.1", "--port",
                                       server.port, "--duration", "20s",       "--warmup",
                                       "100ms",     "--format",   "json"};
    arguments.insert(arguments.end(), more.begin() + 1, more.end());
    Background client(arguments);
    std::this_thread::sleep_for(milliseconds(1200));
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(client.end(SIGINT), 130) << more[0];
    EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(5)) << more[0];
    const auto outcome = nlohmann::json::parse(client.output(), nullptr, false);
    ASSERT_TRUE(outcome.is_object()) << more[0] << client.output();
    EXPECT_EQ(outcome["interrupted"], true);
    ASSERT_EQ(outcome["repeats"].size(), 1U) << more[0] << outcome;
    for (const auto& side : outcome["repeats"][0]["sides"]) {
      EXPECT_GT(side["work"]["bytes"], 0) << more[0];
      EXPECT_LT(side["duration_ns"], 10'000'000'000) << more[0];
    }
  }
}

TEST(Traffic, BadRequestsSayWhatToDo) {
  EXPECT_THAT(vtax({"tcp-rr", "127.0.0.1", "--port", "1"}).err,
              HasSubstr("start a server there: vtax workload server"));
  for (const char* size : {"0", "-5", "9223372036854775808", "99999999999G", "x"}) {
    const auto done = vtax({"tcp-stream", "127.0.0.1", "--write", size});
    EXPECT_EQ(done.exit_code, 2) << size << done.err;
    EXPECT_FALSE(done.err.empty());
  }
  EXPECT_EQ(vtax({"tcp-stream", "127.0.0.1", "--duration", "0"}).exit_code, 2);
  EXPECT_EQ(vtax({"tcp-stream", "127.0.0.1", "--rate", "-3"}).exit_code, 2);
  EXPECT_EQ(vtax({"udp-stream", "127.0.0.1", "--write", "70000"}).exit_code, 2);
  EXPECT_EQ(vtax({"server", "--bind", "192.0.2.1"}).exit_code, 4);
  const Server server;
  EXPECT_THAT(vtax({"server", "--bind", "127.0.0.1", "--port", server.port}).err,
              HasSubstr("Address already in use"));
}

TEST(Traffic, AServerThatDiesIsAnErrorSoon) {
  Server server;
  std::thread killer([&] {
    std::this_thread::sleep_for(milliseconds(700));
    server.end(SIGKILL);
  });
  const auto start = std::chrono::steady_clock::now();
  const auto done = vtax({"tcp-stream", "127.0.0.1", "--port", server.port, "--duration", "20s"});
  killer.join();
  EXPECT_EQ(done.exit_code, 4) << done.out;
  EXPECT_THAT(done.out, testing::Not(HasSubstr("rate"))) << "intervals as they went, but no result";
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(10));
}

TEST(Traffic, AClientThatDiesEndsItsSessionOnly) {
  const Server server;
  {
    Background client({"workload", "tcp-stream", "127.0.0.1", "--port", server.port, "--duration", "20s"});
    EXPECT_TRUE(server.says("a session has begun"));
    std::this_thread::sleep_for(milliseconds(300));
    client.end(SIGKILL);
  }
  EXPECT_TRUE(server.says("a session has ended"));
  EXPECT_EQ(vtax({"tcp-rr", "127.0.0.1", "--port", server.port, "-n", "10"}).exit_code, 0);
}

TEST(Traffic, AnInterruptionEndsBothSidesOrderly) {
  Server server;
  Background client({"workload", "tcp-rr", "127.0.0.1", "--port", server.port, "--duration", "20s"});
  EXPECT_TRUE(server.says("a session has begun"));
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_EQ(client.end(SIGINT), 130);
  EXPECT_TRUE(server.says("a session has ended"));
  EXPECT_EQ(server.end(SIGTERM), 0);
}

}  // namespace
}  // namespace vtax
