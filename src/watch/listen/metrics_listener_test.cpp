#include "watch/listen/metrics_listener.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include <random>

namespace vtax::watch {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

MetricsListener listener_of(std::string text = "vtax_readings_total 1\n# EOF\n") {
  auto listener =
      MetricsListener::open(*parse_listen_address("127.0.0.1:0"), [text = std::move(text)] { return text; });
  EXPECT_TRUE(listener) << listener.error().text();
  return std::move(*listener);
}

Descriptor connected(std::uint16_t port) {
  Descriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
  return fd;
}

void say_to(const Descriptor& fd, std::string_view text) {
  (void)!send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
}

// Lets the listener work until the connection is closed, or for so many rounds; what was answered.
std::string answer_of(MetricsListener& listener, const Descriptor& fd, int rounds = 200) {
  std::string out;
  std::array<char, 65536> buffer{};
  for (int i = 0; i < rounds; ++i) {
    auto waits = listener.waits_for();
    poll(waits.data(), waits.size(), 1);
    listener.serve();
    const ssize_t got = recv(fd.get(), buffer.data(), buffer.size(), 0);
    if (got == 0) return out;
    if (got > 0) out.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return out;
}

std::string asked(MetricsListener& listener, std::string_view request) {
  const Descriptor fd = connected(listener.port());
  say_to(fd, request);
  return answer_of(listener, fd);
}

TEST(ListenAddress, IsLoopbackUnlessAnotherIsGiven) {
  EXPECT_EQ(parse_listen_address("9177").value().text(), "127.0.0.1:9177");
  EXPECT_EQ(parse_listen_address("[::1]:9177").value().text(), "[::1]:9177");
  EXPECT_TRUE(is_loopback(*parse_listen_address("[::1]:1")));
  EXPECT_TRUE(is_loopback(*parse_listen_address("127.1.2.3:1")));
  EXPECT_FALSE(is_loopback(*parse_listen_address("0.0.0.0:1")));
  EXPECT_FALSE(is_loopback(*parse_listen_address("[::]:1")));
  for (const char* wrong :
       {"", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "::1:9177", "host:1", "-1"})
    EXPECT_FALSE(parse_listen_address(wrong)) << wrong;
}

TEST(MetricsListener, AnswersGetAndHead) {
  auto listener = listener_of();
  const std::string get = asked(listener, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(get,
              StartsWith("HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0"));
  EXPECT_THAT(get, HasSubstr("\r\n\r\nvtax_readings_total 1\n# EOF\n"));
  const std::string head = asked(listener, "HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("Content-Length: 28\r\n"));
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  EXPECT_THAT(asked(listener, "GET / HTTP/1.0\r\n\r\n"), HasSubstr("the metrics are at /metrics"));
  EXPECT_THAT(asked(listener, "GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST(MetricsListener, TextOfAnyLengthArrivesWhole) {
  const std::string text(20'000'000, 'x');
  auto listener = listener_of(text);
  const Descriptor fd = connected(listener.port());
  say_to(fd, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string got = answer_of(listener, fd, 20'000);
  EXPECT_EQ(got.size() - got.find("\r\n\r\n") - 4, text.size());
}

TEST(MetricsListener, RefusesWhatItDoesNotServe) {
  auto listener = listener_of();
  for (const auto& [request, status] : std::vector<std::pair<std::string, std::string>>{
           {"GET /other HTTP/1.1\r\nHost: a\r\n\r\n", "404"},
           {"POST /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "405"},
           {"GET /metrics HTTP/1.1\r\n\r\n", "400"},
           {"GET /../metrics HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
           {"GET /metrics HTTP/2.0\r\nHost: a\r\n\r\n", "505"},
           {"GET /metrics HTTP/1.1\nHost: a\n\n", "400"},
           {"GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", "413"},
           {"GET /" + std::string(9'000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", "431"},
           {"\r\n\r\n", "400"}})
    EXPECT_THAT(asked(listener, request), StartsWith("HTTP/1.1 " + status)) << request.substr(0, 60);
}

TEST(MetricsListener, SurvivesNoise) {
  auto listener = listener_of();
  std::mt19937_64 random(11);
  for (int i = 0; i < 2'000; ++i) {
    const Descriptor fd = connected(listener.port());
    std::string noise = i % 2 == 0 ? "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" : "";
    const std::size_t at = noise.size();
    noise.resize(at + random() % 300);
    for (std::size_t c = at; c < noise.size(); ++c) noise[c] = static_cast<char>(random());
    if (!noise.empty()) noise[random() % noise.size()] = static_cast<char>(random());
    say_to(fd, noise);
    (void)answer_of(listener, fd, 2);
  }
  EXPECT_THAT(asked(listener, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 200"));
}

// Who holds connections open without a word does not keep others out.
TEST(MetricsListener, AnswersBesideAHundredThatSayNothing) {
  auto listener = listener_of();
  std::vector<Descriptor> silent;
  for (int i = 0; i < 100; ++i) {
    silent.push_back(connected(listener.port()));
    say_to(silent.back(), "GET /met");
  }
  EXPECT_THAT(asked(listener, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_LE(listener.waits_for().size(), MetricsListener::kMostConnections + 1);
}

// As a user who is not root; the next port would be root's, too.
TEST(MetricsListener, SaysWhatToDoAboutARootsPort) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (::geteuid() == 0 && ::setuid(kNobody) != 0) ::_exit(1);
    const auto refused =
        MetricsListener::open(*parse_listen_address("127.0.0.1:80"), [] { return std::string(); });
    const std::string text = refused ? "listens" : refused.error().text();
    ::_exit(::write(ends[1], text.data(), text.size()) > 0 ? 0 : 1);
  }
  ::close(ends[1]);
  std::array<char, 1000> text{};
  const auto got = ::read(ends[0], text.data(), text.size());
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  ASSERT_GT(got, 0);
  const std::string said(text.data(), static_cast<std::size_t>(got));
  if (said == "listens") GTEST_SKIP() << "here every user may listen on port 80";
  EXPECT_THAT(said, HasSubstr("ports below 1024 are root's: choose one above (--listen 127.0.0.1:9177)"));
}

TEST(MetricsListener, SaysWhatToDoAboutAPortInUse) {
  const auto first = listener_of();
  const auto second = MetricsListener::open(
      *parse_listen_address("127.0.0.1:" + std::to_string(first.port())), [] { return std::string(); });
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ExitCode::unavailable);
  EXPECT_THAT(second.error().text(), HasSubstr("cannot listen on 127.0.0.1 port"));
  EXPECT_THAT(second.error().text(), HasSubstr("choose another port (--listen 127.0.0.1:"));
  const auto foreign =
      MetricsListener::open(*parse_listen_address("192.0.2.1:9177"), [] { return std::string(); });
  ASSERT_FALSE(foreign);
  EXPECT_THAT(foreign.error().text(), HasSubstr("--listen takes an address of this computer"));
}

}  // namespace
}  // namespace vtax::watch
