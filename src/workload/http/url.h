#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/net_address.h"
#include "core/result.h"

namespace vtax::http {

// Where a request goes: "http://192.0.2.7:8080/path?query", "http://[2001:db8::7]/",
// "http://[fe80::1%25eth0]/". Hosts are those of core/net_address.h.
struct Url {
  std::string host;  // as written, without the brackets and the device of IPv6: what goes into the Host field
  std::uint16_t port = 80;
  std::string path = "/";  // with the query; characters that may stand in a request line only
  NetAddress address;

  [[nodiscard]] std::string authority() const;  // for the Host field
  [[nodiscard]] std::string text() const;
};

[[nodiscard]] Result<Url> parse_url(std::string_view text);

}  // namespace vtax::http
