#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vtax::http {

// Where a request goes: "http://192.0.2.7:8080/path?query", "http://[2001:db8::7]/". Hosts are numeric or
// "localhost" (127.0.0.1): a static program resolves no names.
struct Url {
  std::string host;  // as written, without the brackets of IPv6
  std::uint16_t port = 80;
  std::string path = "/";  // with the query; characters that may stand in a request line only
  sockaddr_storage address{};
  socklen_t address_size = 0;

  [[nodiscard]] std::string authority() const;  // for the Host field
  [[nodiscard]] std::string text() const;
};

[[nodiscard]] Result<Url> parse_url(std::string_view text);

// "127.0.0.1" or "::1" with a port, into what the socket calls take. False: not numeric.
[[nodiscard]] bool numeric_address(const std::string& host, std::uint16_t port, sockaddr_storage& into,
                                   socklen_t& size);

}  // namespace vtax::http
