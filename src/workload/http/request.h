#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vtax::http {

inline constexpr std::size_t kLongestRequestHead = 8192;

// A request as the server understands it: GET or HEAD without content.
struct Request {
  // 0: it is a request that can be answered; otherwise the status that refuses it (400, 405, 413, 414, 505).
  // After a refusal the connection cannot go on.
  int refusal = 0;
  bool head = false;  // HEAD: answer without the content
  bool version_1_0 = false;
  bool keep_alive = false;
  std::string_view target;  // origin form, not decoded; a part of what was parsed
};

// `head`: the request line and the fields with the empty line.
[[nodiscard]] Request parse_request(std::string_view head);

// The path that a target names: query cut off, %XX decoded, into `storage` where it has to be. Empty: a path
// that is refused, since it holds control characters, a wrong %XX, or '.' or '..' as a segment.
[[nodiscard]] std::string_view path_of(std::string_view target, std::string& storage);

}  // namespace vtax::http
