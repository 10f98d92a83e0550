#include "workload/http/url.h"

#include <gtest/gtest.h>

namespace vtax::http {
namespace {

TEST(Url, IsTakenApart) {
  struct Case {
    const char *text, *host;
    int port;
    const char *path, *authority;
  };
  for (const Case& c :
       {Case{"http://127.0.0.1", "127.0.0.1", 80, "/", "127.0.0.1"},
        Case{"http://127.0.0.1:8080/a/b?c=d", "127.0.0.1", 8080, "/a/b?c=d", "127.0.0.1:8080"},
        Case{"http://localhost?x", "localhost", 80, "/?x", "localhost"},
        Case{"http://[::1]:81/%20", "::1", 81, "/%20", "[::1]:81"}}) {
    const auto url = parse_url(c.text);
    ASSERT_TRUE(url) << c.text << ' ' << url.error().text();
    EXPECT_EQ(url->host, c.host);
    EXPECT_EQ(url->port, c.port);
    EXPECT_EQ(url->path, c.path);
    EXPECT_EQ(url->authority(), c.authority);
  }
}

TEST(Url, ThatIsWrongIsRefusedWithItsReason) {
  for (const char* text : {"", "127.0.0.1", "ftp://127.0.0.1/", "https://127.0.0.1/", "http://", "http:///x",
                           "http://127.0.0.1:0/", "http://127.0.0.1:65536/", "http://127.0.0.1:x/",
                           "http://127.0.0.1:80x/", "http://127.0.0.1:/", "http://user@127.0.0.1/",
                           "http://[::1/", "http://[::1]x/", "http://300.1.1.1/", "http://example.com/",
                           "http://127.0.0.1/a b", "http://127.0.0.1/a\r\nX: y", "http://127.0.0.1/#part"}) {
    const auto url = parse_url(text);
    EXPECT_FALSE(url) << text;
    if (!url) {
      EXPECT_FALSE(url.error().why.empty());
      EXPECT_FALSE(url.error().next.empty());
      EXPECT_EQ(url.error().code, ExitCode::usage);
    }
  }
  EXPECT_FALSE(parse_url("http://127.0.0.1/" + std::string(5000, 'a')));
}

}  // namespace
}  // namespace vtax::http
