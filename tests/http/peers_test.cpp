// vtax's HTTP client and server against stock programs. What is not installed is skipped with its name.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <thread>

#include "workload/http/http_for_test.h"
#include "workload/http/testing/stock_server.h"

namespace vtax::http {
namespace {

using testing::HasSubstr;

constexpr auto kLongest = std::chrono::seconds(30);

// The web root that all share: the small classes of the set are enough to be requested.
class Peers : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TestFolder();
    std::filesystem::permissions(folder_->path(), std::filesystem::perms(0755));
    folder_->write("a.txt", std::string(1000, 'a'));
  }
  static void TearDownTestSuite() { delete folder_; }

  // A whole `vtax workload` command; its JSON.
  static nlohmann::json vtax(std::vector<std::string> arguments, int code = 0) {
    arguments.insert(arguments.begin(), {VTAX_PROGRAM, "workload"});
    const std::string file = (folder_->path() / "out.json").string();
    std::filesystem::remove(file);
    arguments.insert(arguments.end(), {"--format", "json", "-o", file});
    auto program = PeerProgram::start(arguments);
    EXPECT_TRUE(program);
    const auto end = program->wait(kLongest);
    EXPECT_EQ(end.exit_code, code) << end.out;
    std::ifstream in(file);
    return in ? nlohmann::json::parse(in) : nlohmann::json();
  }

  static void requests_work(std::uint16_t port) {
    const std::string url = fmt::format("http://127.0.0.1:{}/a.txt", port);
    for (const std::vector<std::string>& mode :
         {std::vector<std::string>{"--rate", "200"},
          {"--rate", "200", "--keep-alive"},
          {"--connections-per-second", "50", "--requests-per-connection", "4"},
          {"--closed", "4", "--keep-alive"},
          {"--closed", "4"},
          {"--closed", "4", "--keep-alive", "--drop-content"}}) {
      std::vector<std::string> command{"http", url, "--duration", "300ms", "--warmup", "0s"};
      command.insert(command.end(), mode.begin(), mode.end());
      const nlohmann::json out = vtax(command);
      ASSERT_FALSE(out.is_null()) << mode[0];
      const auto& side = out["repeats"][0]["sides"][0];
      const auto done = side["work"]["transactions"].get<std::uint64_t>();
      EXPECT_GT(done, mode[0] == "--closed" ? 10u : 30u);  // of 60
      EXPECT_EQ(side["work"]["bytes"], done * 1000);
      for (const auto& [kind, count] : side["failures"].items()) EXPECT_EQ(kind, "late") << count;
    }
    vtax({"http", fmt::format("http://127.0.0.1:{}/none", port), "--rate", "100", "--duration", "200ms"}, 4);
  }

  // `vtax workload http-server` on the web root.
  static PeerProgram serve(std::uint16_t& port, const std::vector<std::string>& more = {}) {
    port = free_port();
    std::vector<std::string> command{VTAX_PROGRAM,
                                     "workload",
                                     "http-server",
                                     "--port",
                                     std::to_string(port),
                                     "--files",
                                     folder_->path().string(),
                                     "--format",
                                     "json"};
    command.insert(command.end(), more.begin(), more.end());
    auto program = PeerProgram::start(command);
    EXPECT_TRUE(program);
    EXPECT_TRUE(listens(port, std::chrono::seconds(10))) << program->output();
    return std::move(*program);
  }

  static nlohmann::json json_in(const std::string& output) {
    const std::size_t start = output.find("{\n");
    if (start == std::string::npos) return {};
    return nlohmann::json::parse(output.substr(start, output.rfind("\n}") + 2 - start));
  }

  static std::uint64_t number_in(const std::string& text, const std::string& pattern) {
    std::smatch found;
    return std::regex_search(text, found, std::regex(pattern)) ? std::stoull(found[1]) : 0;
  }

  static TestFolder* folder_;
};

TestFolder* Peers::folder_ = nullptr;

TEST_F(Peers, NginxAnswersTheClient) {
  const auto server = StockServer::nginx(folder_->path());
  if (!server && !find_program("nginx")) GTEST_SKIP() << "nginx is not installed";
  ASSERT_TRUE(server) << server.error().text();
  requests_work(server->port());
}

TEST_F(Peers, ApacheAnswersTheClient) {
  const auto server = StockServer::apache(folder_->path());
  if (!server && !find_program("apache2")) GTEST_SKIP() << "Apache is not installed";
  ASSERT_TRUE(server) << server.error().text();
  requests_work(server->port());
}

TEST_F(Peers, TheServerAnswersWrk) {
  const auto wrk = find_program("wrk");
  if (!wrk) GTEST_SKIP() << "wrk is not installed";
  std::uint16_t port = 0;
  PeerProgram server = serve(port);
  auto client =
      PeerProgram::start({*wrk, "-t1", "-c8", "-d1s", fmt::format("http://127.0.0.1:{}/a.txt", port)});
  ASSERT_TRUE(client);
  const auto end = client->wait(kLongest);
  EXPECT_EQ(end.exit_code, 0) << end.out;
  EXPECT_EQ(end.out.find("Socket errors"), std::string::npos) << end.out;
  EXPECT_EQ(end.out.find("Non-2xx"), std::string::npos) << end.out;
  const std::uint64_t seen = number_in(end.out, "([0-9]+) requests in");
  EXPECT_GT(seen, 50u);
  server.signal(SIGINT);
  const auto stopped = server.wait(kLongest);
  EXPECT_EQ(stopped.exit_code, 0) << stopped.out;
  const nlohmann::json report = json_in(stopped.out);
  const auto served = report["repeats"][0]["sides"][0]["work"]["transactions"].get<std::uint64_t>();
  EXPECT_GE(served, seen);
  EXPECT_LE(served, seen + 8);  // what was on its way at wrk's end
}

TEST_F(Peers, TheServerAnswersHttperf) {
  const auto httperf = find_program("httperf");
  if (!httperf) GTEST_SKIP() << "httperf is not installed";
  std::uint16_t port = 0;
  PeerProgram server = serve(port);
  auto client = PeerProgram::start({*httperf, "--hog", "--server", "127.0.0.1", "--port",
                                    std::to_string(port), "--uri", "/a.txt", "--rate", "200", "--num-conns",
                                    "100", "--num-calls", "2", "--timeout", "5"});
  ASSERT_TRUE(client);
  const auto end = client->wait(kLongest);
  EXPECT_EQ(end.exit_code, 0) << end.out;
  EXPECT_THAT(end.out, HasSubstr("replies 200"));
  EXPECT_THAT(end.out, HasSubstr("2xx=200 3xx=0 4xx=0 5xx=0"));
  EXPECT_THAT(end.out, HasSubstr("Errors: total 0"));
}

// ApacheBench speaks HTTP/1.0, with keep-alive as an extension.
TEST_F(Peers, TheServerAnswersApacheBench) {
  const auto ab = find_program("ab");
  if (!ab) GTEST_SKIP() << "ab is not installed";
  std::uint16_t port = 0;
  PeerProgram server = serve(port);
  for (const bool keep_alive : {false, true}) {
    std::vector<std::string> command{
        *ab, "-q", "-n", "300", "-c", "8", fmt::format("http://127.0.0.1:{}/a.txt", port)};
    if (keep_alive) command.insert(command.begin() + 1, "-k");
    auto client = PeerProgram::start(command);
    ASSERT_TRUE(client);
    const auto end = client->wait(kLongest);
    EXPECT_EQ(number_in(end.out, "Complete requests: +([0-9]+)"), 300u) << end.out;
    EXPECT_EQ(number_in(end.out, "Failed requests: +([0-9]+)"), 0u) << end.out;
    EXPECT_EQ(number_in(end.out, "Keep-Alive requests: +([0-9]+)"), keep_alive ? 300u : 0u) << end.out;
  }
}

// The whole set, from memory, by its popularity, over two threads.
TEST_F(Peers, TheGeneratedSetIsServedWhole) {
  const std::uint16_t port = free_port();
  auto server = PeerProgram::start({VTAX_PROGRAM, "workload", "http-server", "--port", std::to_string(port),
                                    "--threads", "2", "--for", "20s"});
  ASSERT_TRUE(server);
  ASSERT_TRUE(listens(port, std::chrono::seconds(10))) << server->output();
  const nlohmann::json out = vtax({"http", fmt::format("http://127.0.0.1:{}/", port), "--file-set",
                                   "--closed", "4", "--keep-alive", "--duration", "1s", "--warmup", "0s"});
  const auto& side = out["repeats"][0]["sides"][0];
  EXPECT_GT(side["work"]["transactions"], 100);
  EXPECT_TRUE(side["failures"].empty()) << side["failures"];  // each file had the size that the set says
}

TEST_F(Peers, IntervalsArePrintedAsTheyEnd) {
  std::uint16_t port = 0;
  const auto server = serve(port);
  auto client =
      PeerProgram::start({VTAX_PROGRAM, "workload", "http", fmt::format("http://127.0.0.1:{}/a.txt", port),
                          "--closed", "2", "--keep-alive", "--warmup", "0s", "-d", "3s", "-i", "500ms"});
  ASSERT_TRUE(client);
  EXPECT_TRUE(client->says("0.0 to   0.5 s  ", std::chrono::seconds(20))) << client->output();
  const auto end = client->wait(kLongest);
  EXPECT_EQ(end.exit_code, 0) << end.out;
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = end.out.find(" s  ", at)) != std::string::npos; ++at) ++lines;
  EXPECT_EQ(lines, 6U) << end.out;
}

TEST_F(Peers, TheServerEndsWithItsTimeAndOnInterruption) {
  std::uint16_t port = 0;
  PeerProgram timed = serve(port, {"--for", "1s"});
  EXPECT_EQ(timed.wait(kLongest).exit_code, 0);
  PeerProgram early = serve(port, {"--for", "1m"});
  early.signal(SIGINT);
  const auto end = early.wait(kLongest);
  EXPECT_EQ(end.exit_code, 130);
  EXPECT_FALSE(json_in(end.out).is_null()) << end.out;  // what was done by then is told
}

// The generated files lie in memory: they take no place from connections.
TEST_F(Peers, ALowLimitOfOpenFilesIsForConnections) {
  const std::uint16_t port = free_port();
  auto started =
      PeerProgram::start({"/usr/bin/prlimit", "--nofile=300:300", VTAX_PROGRAM, "workload", "http-server",
                          "--port", std::to_string(port), "--for", "3s", "--format", "json"});
  ASSERT_TRUE(started);
  for (int i = 0; i < 100 && started->output().find("http://") == std::string::npos; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const auto end = started->wait(kLongest);
  EXPECT_GE(json_in(end.out)["repeats"][0]["sides"][0]["details"]["connection_limit"], 230) << end.out;
  EXPECT_NE(end.out.find("connections at once are possible, for this process may open 300 files"),
            std::string::npos)
      << end.out;
}

TEST_F(Peers, TheServerEndsWithTheProgramThatStartedIt) {
  const std::uint16_t port = free_port();
  auto shell = PeerProgram::start(
      {"/bin/sh", "-c",
       fmt::format("'{}' workload http-server --port {} --files '{}' & read -r never < /dev/zero",
                   VTAX_PROGRAM, port, folder_->path().string())});
  ASSERT_TRUE(shell);
  ASSERT_TRUE(listens(port, std::chrono::seconds(10))) << shell->output();
  shell->signal(SIGKILL);
  (void)shell->wait(kLongest);
  for (int i = 0; i < 300 && listens(port, std::chrono::milliseconds(1)); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_FALSE(listens(port, std::chrono::milliseconds(1)));
}

TEST_F(Peers, WrongUseIsSaid) {
  struct Case {
    std::vector<std::string> arguments;
    int code;
    const char* says;
  };
  std::uint16_t port = 0;
  const PeerProgram server = serve(port);
  const std::string taken = std::to_string(port), nobody = std::to_string(free_port());
  for (const Case& c : {
           Case{{"http", "ftp://127.0.0.1/", "--rate", "1"}, 2, "does not begin with http://"},
           Case{{"http", "http://127.0.0.1/"}, 2, "--rate 500"},
           Case{{"http", "http://127.0.0.1/", "--rate", "-5"}, 2, "--rate"},
           Case{{"http", "http://127.0.0.1/", "--rate", "5", "--closed", "5"}, 2, "excludes"},
           Case{{"http", "http://127.0.0.1/", "--rate", "5", "--duration", "0"}, 2, "it is zero"},
           Case{{"http", "http://127.0.0.1:" + nobody + "/", "--rate", "50", "--duration", "100ms",
                 "--warmup", "0"},
                4,
                "is the server running"},
           Case{{"http-server", "--port", taken, "--files", folder_->path().string()},
                4,
                "Address already in use"},
           Case{{"http-server", "--bind", "192.0.2.1", "--files", folder_->path().string()},
                2,
                "address of this machine"},
           Case{{"http-server", "--files", "/nowhere/at/all"}, 2, "No such file"},
           Case{{"http-server", "--threads", "0"}, 2, "1 to 256"},
           Case{{"http-files", "--write", folder_->path().string()}, 5, "no empty directory"},
       }) {
    std::vector<std::string> command{VTAX_PROGRAM, "workload"};
    command.insert(command.end(), c.arguments.begin(), c.arguments.end());
    auto program = PeerProgram::start(command);
    ASSERT_TRUE(program);
    const auto end = program->wait(kLongest);
    EXPECT_EQ(end.exit_code, c.code) << c.arguments[1] << '\n' << end.out;
    EXPECT_THAT(end.out, HasSubstr(c.says));
  }
}

}  // namespace
}  // namespace vtax::http
