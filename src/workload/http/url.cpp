#include "workload/http/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/readable.h"

namespace vtax::http {
namespace {

constexpr std::size_t kLongestUrl = 4096;
constexpr std::string_view kExampleUrl = "for example http://127.0.0.1:8080/index.html";

bool read_port(std::string_view text, std::uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

bool may_stand_in_a_request_line(char c) {
  return c > ' ' && c < 0x7f && c != '#' && c != '"' && c != '<' && c != '>' && c != '\\' && c != '^' &&
         c != '`' && c != '{' && c != '|' && c != '}';
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  const auto wrong = [&](std::string why, std::string_view next = kExampleUrl) {
    return fail({fmt::format("no use for the URL '{}'", printable(text)), std::move(why), std::string(next)});
  };
  if (text.size() > kLongestUrl) return wrong(fmt::format("it is longer than {} characters", kLongestUrl));
  if (text.starts_with("https://")) return wrong("TLS is not spoken", "use http://");
  if (!text.starts_with("http://")) return wrong("it does not begin with http://");
  std::string_view rest = text.substr(7);
  const std::size_t end = rest.find_first_of("/?#");
  std::string_view authority = rest.substr(0, end);
  const std::string_view path = end == std::string_view::npos ? "" : rest.substr(end);

  Url url;
  if (authority.find('@') != std::string_view::npos) return wrong("it has a user or password");
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return wrong("its '[' has no ']'");
    url.host = authority.substr(0, close + 1);
    authority.remove_prefix(close + 1);
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, colon);
    authority.remove_prefix(colon);
  }
  if (!authority.empty() && (authority[0] != ':' || !read_port(authority.substr(1), url.port)))
    return wrong("its port is none of 1 to 65535");
  if (url.host.empty()) return wrong("it names no host");
  const auto address = NetAddress::parse(url.host, url.port);
  if (!address)
    return wrong("its host: " + address.error().why,
                 address.error().next + "; --host gives the server a name");
  url.address = *address;
  if (url.host.starts_with('[')) url.host = url.host.substr(1, url.host.size() - 2);
  url.host = url.host.substr(0, url.host.find('%'));
  if (path.starts_with('?'))
    url.path = "/" + std::string(path);
  else if (!path.empty())
    url.path = path;
  if (!std::all_of(url.path.begin(), url.path.end(), may_stand_in_a_request_line))
    return wrong("its path has a character that must be written as %XX");
  return url;
}

std::string Url::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == 80 ? name : fmt::format("{}:{}", name, port);
}

std::string Url::text() const {
  return "http://" + authority() + path;
}

}  // namespace vtax::http
