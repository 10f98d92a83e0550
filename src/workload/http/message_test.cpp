#include <gtest/gtest.h>

#include "workload/http/random.h"
#include "workload/http/request.h"
#include "workload/http/response_parser.h"

namespace vtax::http {
namespace {

using namespace std::string_literals;

Request request(std::string_view text) {
  return parse_request(text);
}

TEST(Request, IsUnderstood) {
  const Request plain = request("GET /a?b HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n");
  EXPECT_EQ(plain.refusal, 0);
  EXPECT_EQ(plain.target, "/a?b");
  EXPECT_TRUE(plain.keep_alive);
  EXPECT_FALSE(plain.head);
  EXPECT_FALSE(request("GET / HTTP/1.1\r\nhOsT: x\r\nconnection: foo, CLOSE\r\n\r\n").keep_alive);
  EXPECT_FALSE(request("GET / HTTP/1.0\r\n\r\n").keep_alive);
  EXPECT_TRUE(request("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
  EXPECT_TRUE(request("HEAD / HTTP/1.1\r\nHost:\r\n\r\n").head);
  EXPECT_EQ(request("GET http://x:1/p HTTP/1.1\r\nHost: x\r\n\r\n").target, "/p");
  EXPECT_EQ(request("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").refusal, 0);
}

TEST(Request, ThatIsNoneIsRefused) {
  const std::string fields(200, 'a');
  struct Case {
    std::string text;
    int status;
  };
  std::string many = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 100; ++i) many += "A: b\r\n";
  for (const Case& c : {
           Case{"", 400},
           Case{"\r\n\r\n", 400},
           Case{"GET /\r\n\r\n", 400},
           Case{"GET  HTTP/1.1\r\nHost: x\r\n\r\n", 400},
           Case{"GET / HTTP/1.1\r\n\r\n", 400},
           Case{"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
           Case{"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400},
           Case{"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400},
           Case{"GET / HTTP/1.1\nHost: x\n\n", 400},
           Case{"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
           Case{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400},
           Case{"GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n"s, 400},
           Case{"GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400},
           Case{"GET ../x HTTP/1.1\r\nHost: x\r\n\r\n", 400},
           Case{many + "\r\n", 400},
           Case{"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
           Case{"POST / HTTP/1.1\r\nHost: x\r\n\r\n", 405},
           Case{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", 413},
           Case{"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 413},
           Case{"GET /" + std::string(5000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n", 414},
       }) {
    EXPECT_EQ(request(c.text).refusal, c.status) << c.text;
  }
}

TEST(Request, PathsStayBelowTheRoot) {
  std::string storage;
  EXPECT_EQ(path_of("/a/b?c#d", storage), "/a/b");
  EXPECT_EQ(path_of("/a%20b/%41", storage), "/a b/A");
  EXPECT_EQ(path_of("/..a/b..", storage), "/..a/b..");
  for (const char* path : {"/..", "/../etc/passwd", "/a/../../b", "/a/./b", "/%2e%2e/x", "/.%2E", "/a%2fb",
                           "/%00", "/%0a", "/%", "/%4", "/%zz"}) {
    EXPECT_EQ(path_of(path, storage), "") << path;
  }
}

struct Outcome {
  ResponseParser::State state;
  std::size_t used;
  std::uint64_t content;
  int status;
  bool keep_alive;
  std::string why;
  bool operator==(const Outcome&) const = default;
};

Outcome outcome(ResponseParser& parser, std::size_t used, bool end) {
  if (end) parser.end();
  return {parser.state(), used, parser.content(), parser.status(), parser.keep_alive(), parser.why()};
}

Outcome whole(std::string_view text, bool end = false) {
  ResponseParser parser;
  const std::size_t used = parser.feed(text);
  return outcome(parser, used, end);
}

Outcome in_pieces(std::string_view text, Random& random, std::uint32_t longest, bool end = false) {
  ResponseParser parser;
  std::size_t used = 0;
  while (used < text.size()) {
    const std::size_t size = 1 + random.below(longest);
    const std::size_t taken = parser.feed(text.substr(used, size));
    used += taken;
    if (parser.done() || parser.bad()) break;
  }
  return outcome(parser, used, end);
}

TEST(Response, EndsWhereItsContentDoes) {
  using State = ResponseParser::State;
  const std::string length = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345";
  EXPECT_EQ(whole(length + "HTTP/1.1 ..."), (Outcome{State::done, length.size(), 5, 200, true, ""}));
  const std::string chunked =
      "HTTP/1.1 404 \r\nTransfer-Encoding: chunked\r\nConnection: "
      "close\r\n\r\nA;x=y\r\n0123456789\r\n1\r\n!\r\n0\r\n"
      "T: v\r\n\r\n";
  EXPECT_EQ(whole(chunked + "x"), (Outcome{State::done, chunked.size(), 11, 404, false, ""}));
  EXPECT_EQ(whole("HTTP/1.0 200\r\n\r\nabc", true).state, State::done);
  EXPECT_EQ(whole("HTTP/1.0 200\r\n\r\nabc").state, State::until_close);
  EXPECT_EQ(whole("HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n").state, State::done);
  EXPECT_EQ(whole("HTTP/1.1 100 Continue\r\n\r\n" + length).status, 200);
  EXPECT_EQ(whole("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n123", true).state, State::bad);
  EXPECT_EQ(whole("", true).state, State::bad);
}

TEST(Response, LinesThatEndInALineFeedAloneAreNamed) {
  for (const char* text :
       {"HTTP/1.1 200 OK\nContent-Length: 0\n\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\n\r\n", "\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\n"}) {
    ResponseParser parser;
    for (const char* c = text; *c != '\0'; ++c) parser.feed({c, 1});
    EXPECT_TRUE(parser.bad()) << text;
    EXPECT_STREQ(parser.why(), "a line of its head ends in LF alone, not in CRLF");
  }
}

TEST(Response, ThatIsNoneIsBad) {
  std::string interim;
  for (int i = 0; i < 9; ++i) interim += "HTTP/1.1 100 \r\n\r\n";
  for (const std::string& text : std::vector<std::string>{
           "\r\n\r\n",
           "HTTP/2 200\r\n\r\n",
           "HTTP/1.1 2000\r\n\r\n",
           "HTTP/1.1 099 x\r\n\r\n",
           "SSH-2.0-x\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
           "HTTP/1.1 101 Switching\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(300, 'x'),
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + std::string(9000, 'x'),
           "HTTP/1.1 200 OK\r\nA: " + std::string(20000, 'x'),
           interim,
           "HTTP/1.1 200 OK\r\n: x\r\n\r\n"}) {
    const Outcome got = whole(text);
    EXPECT_EQ(got.state, ResponseParser::State::bad) << text;
    EXPECT_FALSE(got.why.empty());
  }
}

// However noise comes in pieces, the outcome is that of the whole, and no more is taken than there is.
TEST(Response, NoiseIsJudgedTheSameInAnyPieces) {
  const std::vector<std::string> seeds{
      "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 25\r\nConnection: "
      "keep-alive\r\n\r\n0123456789012345678901234",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a\r\n12345\r\nb\r\n12345678901\r\n0\r\nA: "
      "b\r\n\r\nHTTP",
      "HTTP/1.1 100 \r\n\r\nHTTP/1.0 206 Partial\r\nA:b\r\n\r\nrest"};
  constexpr std::string_view kFavourites = "\r\n\r\n :;0159afHTP/.-\t\x7f\xff";
  Random random(20261123);
  int bad = 0, done = 0;
  for (int round = 0; round < 60'000; ++round) {
    std::string text = seeds[random.below(static_cast<std::uint32_t>(seeds.size()))];
    for (std::uint32_t change = random.below(4); change > 0; --change) {
      const std::size_t at = random.below(static_cast<std::uint32_t>(text.size()));
      const char letter = random.below(3) == 0
                              ? static_cast<char>(random.below(256))
                              : kFavourites[random.below(static_cast<std::uint32_t>(kFavourites.size()))];
      switch (random.below(4)) {
        case 0:
          text[at] = letter;
          break;
        case 1:
          text.insert(at, 1 + random.below(3), letter);
          break;
        case 2:
          text.erase(at, 1 + random.below(5));
          break;
        default:
          text += text.substr(at, random.below(40));
          break;
      }
      if (text.empty()) text = "H";
    }
    const bool end = random.below(2) == 0;
    const Outcome all = whole(text, end);
    ASSERT_LE(all.used, text.size());
    ASSERT_EQ(all, in_pieces(text, random, 1, end)) << text;
    ASSERT_EQ(all, in_pieces(text, random, 9, end)) << text;
    bad += all.state == ResponseParser::State::bad ? 1 : 0;
    done += all.state == ResponseParser::State::done ? 1 : 0;
  }
  EXPECT_GT(bad, 1000);  // the noise is neither too loud nor too soft
  EXPECT_GT(done, 1000);
}

TEST(Request, NoiseIsAnsweredOrRefused) {
  const std::string seed =
      "GET /dir00001/class1_4?x=%20 HTTP/1.1\r\nHost: 127.0.0.1:80\r\nConnection: keep-alive\r\n\r\n";
  Random random(7);
  std::string storage;
  int refused = 0;
  for (int round = 0; round < 100'000; ++round) {
    std::string text = seed;
    for (std::uint32_t change = random.below(4); change > 0; --change)
      text[random.below(static_cast<std::uint32_t>(text.size()))] = static_cast<char>(random.below(256));
    const Request got = parse_request(text);
    if (got.refusal != 0) {
      ++refused;
      ASSERT_TRUE(got.refusal == 400 || got.refusal == 405 || got.refusal == 413 || got.refusal == 414 ||
                  got.refusal == 505);
      continue;
    }
    ASSERT_TRUE(got.target.starts_with('/'));
    const std::string_view path = path_of(got.target, storage);
    ASSERT_TRUE(path.empty() || path.starts_with('/'));
    ASSERT_EQ(path.find("/../"), std::string_view::npos);
  }
  EXPECT_GT(refused, 10'000);
  EXPECT_LT(refused, 90'000);
}

}  // namespace
}  // namespace vtax::http
