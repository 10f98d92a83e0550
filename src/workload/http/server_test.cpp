#include "workload/http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "workload/http/http_for_test.h"
#include "workload/http/random.h"

namespace vtax::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

const std::string big(3'000'000, 'b');
constexpr std::string_view kAsk = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

class Server : public testing::Test {
 protected:
  Server() {
    folder_.write("root/a.txt", "hello");
    folder_.write("root/empty", "");
    folder_.write("root/deep/er/b", big);
    folder_.write("root/deep/index.html", "<p>");
    folder_.write("secret", "not for you");
    folder_.write("root/hole", "");
    std::filesystem::resize_file(folder_.path() / "root/hole", 64U << 20);  // more than sockets hold
    std::filesystem::create_symlink("../secret", folder_.path() / "root/link");
    std::filesystem::create_directory_symlink("..", folder_.path() / "root/up");
    site_.emplace(Site::of(folder_.path() / "root"));
  }

  TestServer start(ServerOptions options = {}) {
    EXPECT_TRUE(site_->has_value());
    return {**site_, options};
  }

  TestFolder folder_;
  std::optional<Result<Site>> site_;
};

std::string get(std::uint16_t port, std::string_view path, std::string_view method = "GET ") {
  const Descriptor fd = connect_to(port);
  put(fd.get(), std::string(method) + std::string(path) + std::string(kAsk));
  return all_of(fd.get());
}

std::uint64_t failure(const SideReport& report, const char* kind) {
  const auto found = report.failures.find(kind);
  return found == report.failures.end() ? 0 : found->second;
}

TEST_F(Server, ServesFilesAndNothingElse) {
  TestServer server = start();
  EXPECT_THAT(get(server.port(), "/a.txt"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(get(server.port(), "/a.txt?x"),
              EndsWith("Content-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello"));
  EXPECT_THAT(get(server.port(), "/empty"), HasSubstr("Content-Length: 0\r\n"));
  EXPECT_THAT(get(server.port(), "/deep/"), EndsWith("\r\n\r\n<p>"));
  EXPECT_THAT(get(server.port(), "/a.txt", "HEAD "), EndsWith("\r\n\r\n"));
  const std::string response = get(server.port(), "/deep/er/b");
  EXPECT_EQ(response.substr(response.find("\r\n\r\n") + 4), big);
  for (const char* path : {"/link", "/up/secret", "/nowhere", "/deep", "/a.txt/", "//a.txt"})
    EXPECT_THAT(get(server.port(), path), StartsWith("HTTP/1.1 404 ")) << path;
  for (const char* path : {"/../secret", "/deep/../../secret", "/%2e%2e/secret", "/..%2fsecret", "/a%00"})
    EXPECT_THAT(get(server.port(), path), StartsWith("HTTP/1.1 400 ")) << path;

  const auto report = server.stop();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->transactions.value, 6u);
  EXPECT_EQ(report->bytes.value, 5 + 0 + 5 + 3 + big.size());  // HEAD has no content
  EXPECT_EQ(report->messages.value, 17u);
  EXPECT_EQ(failure(*report, "not_found"), 6u);
  EXPECT_EQ(failure(*report, "bad_request"), 5u);
}

TEST_F(Server, KeepsConnectionsAndTakesRequestsInAnyPieces) {
  TestServer server = start();
  const Descriptor fd = connect_to(server.port());
  std::string text;
  for (int i = 0; i < 300; ++i)
    text += i % 100 == 7 ? "GET /deep/er/b HTTP/1.1\r\nHost: x\r\n\r\n"
                         : "GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n";
  text += "GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /empty HTTP/1.0\r\n\r\n";
  std::thread sender([&] {
    Random random(3);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = 1 + random.below(500);
      put(fd.get(), std::string_view(text).substr(at, size));
      at += size;
    }
    shutdown(fd.get(), SHUT_WR);  // half closed: what was asked is still answered
  });
  const std::string got = all_of(fd.get());
  sender.join();
  std::size_t responses = 0;
  for (std::size_t at = got.find("HTTP/1.1 200 OK"); at != std::string::npos;
       at = got.find("HTTP/1.1 200 OK", at + 1))
    ++responses;
  EXPECT_EQ(responses, 302u);
  const auto report = server.stop();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->transactions.value, 302u);
  EXPECT_EQ(report->bytes.value, 298 * 5 + 3 * big.size());
}

TEST_F(Server, RefusesGarbageAndGoesOn) {
  TestServer server = start();
  struct Case {
    std::string sent;
    const char* status;
  };
  for (const Case& c :
       {Case{"\x16\x03\x01garbage\r\n\r\n", "400"}, Case{"GET /a.txt\r\n\r\n", "400"},
        Case{"POST /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "405"},
        Case{"GET / HTTP/3.0\r\nHost: x\r\n\r\n", "505"}, Case{"GET /" + std::string(20'000, 'a'), "431"}}) {
    const Descriptor fd = connect_to(server.port());
    put(fd.get(), c.sent);
    shutdown(fd.get(), SHUT_WR);
    EXPECT_THAT(all_of(fd.get()), StartsWith(std::string("HTTP/1.1 ") + c.status)) << c.sent.substr(0, 40);
  }
  EXPECT_THAT(get(server.port(), "/a.txt"), EndsWith("hello"));
}

TEST_F(Server, IsNotHeldUpBySlowOnes) {
  ServerOptions options;
  options.idle = std::chrono::milliseconds(300);
  TestServer server = start(options);
  const Descriptor silent = connect_to(server.port()), slow = connect_to(server.port()),
                   unread = connect_to(server.port());
  put(unread.get(), "GET /hole HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto start = std::chrono::steady_clock::now();
  // A byte now and then does not keep a connection open without a request.
  std::size_t sent = 0;
  const std::string_view request = "GET /a.txt HTTP/1.1\r\nHost: x\r\nA: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
  for (; sent < request.size(); ++sent) {
    EXPECT_THAT(get(server.port(), "/a.txt"), EndsWith("hello"));
    if (::send(slow.get(), &request[sent], 1, MSG_NOSIGNAL) != 1) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_LT(sent, request.size());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
  EXPECT_EQ(all_of(silent.get()), "");
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  const auto report = server.stop();
  ASSERT_TRUE(report);
  EXPECT_EQ(failure(*report, "timeout"), 2u);  // the slow one and the one that did not read
}

TEST_F(Server, KeepsItsLimitOfConnections) {
  ServerOptions options;
  options.connections = 2;
  TestServer server = start(options);
  const Descriptor one = connect_to(server.port()), two = connect_to(server.port());
  for (const Descriptor* held : {&one, &two}) {
    put(held->get(), "GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n");
    char first = 0;
    ASSERT_EQ(recv(held->get(), &first, 1, 0), 1);  // it has been accepted
  }
  EXPECT_THAT(get(server.port(), "/a.txt"), StartsWith("HTTP/1.1 503 "));
  const auto report = server.stop();
  ASSERT_TRUE(report);
  EXPECT_EQ(failure(*report, "too_many_connections"), 1u);
}

TEST_F(Server, EndsByItself) {
  ServerOptions options;
  options.run_for = std::chrono::milliseconds(50);
  options.threads = 2;
  const auto report = serve(**site_, options, {});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->transactions.value, 0u);
}

TEST_F(Server, SaysWhyItCannotListen) {
  const TestServer server = start();
  ServerOptions options;
  options.port = server.port();
  options.run_for = std::chrono::milliseconds(1);
  const auto taken = serve(**site_, options, {});
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().text(), HasSubstr("Address already in use"));
  EXPECT_EQ(taken.error().code, ExitCode::trial_failed);
  options.address = "192.0.2.1";
  EXPECT_EQ(serve(**site_, options, {}).error().code, ExitCode::usage);
  options.address = "example.com";
  EXPECT_EQ(serve(**site_, options, {}).error().code, ExitCode::usage);
}

TEST(Site, ThatIsNoneIsRefused) {
  const TestFolder empty;
  for (const std::filesystem::path& path :
       {empty.path(), empty.path() / "none", std::filesystem::path("/dev/null")}) {
    const auto site = Site::of(path);
    ASSERT_FALSE(site) << path;
    EXPECT_EQ(site.error().code, ExitCode::usage);
    EXPECT_FALSE(site.error().next.empty());
  }
}

}  // namespace
}  // namespace vtax::http
