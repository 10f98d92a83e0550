#include <charconv>

#include "core/readable.h"
#include "profile/agent.h"

namespace vtax::profile {
namespace {

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

Result<AgentAddress> parse_agent_address(std::string_view text) {
  const auto bad = [&](const char* why) {
    return fail({"cannot read --guest " + printable(text), why,
                 "--guest NAME=192.0.2.7:5291, NAME=[2001:db8::7]:5291 or NAME=vsock:3:5291"});
  };
  const auto equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return bad("it has no name before '='");
  AgentAddress address;
  address.guest = printable(text.substr(0, equals));
  std::string_view rest = text.substr(equals + 1);
  if (rest.empty()) return bad("it has no address behind '='");
  constexpr std::string_view kVsock = "vsock:";
  std::string_view port;
  if (rest.starts_with(kVsock)) {
    rest.remove_prefix(kVsock.size());
    const auto colon = rest.find(':');
    if (colon != std::string_view::npos) port = rest.substr(colon + 1);
    address.context = number_of(rest.substr(0, colon));
    if (!address.context) return bad("a context of vsock is a number");
    if (colon != std::string_view::npos && port.empty()) return bad("its port is empty");
  } else {
    const bool brackets = rest.front() == '[';
    const auto end = brackets ? rest.find(']') : rest.find(':');
    if (brackets && end == std::string_view::npos) return bad("its bracket is not closed");
    if (!brackets && end != rest.rfind(':')) return bad("an address of IPv6 stands in brackets");
    address.host = rest.substr(brackets ? 1 : 0, brackets ? end - 1 : end);
    std::string_view behind = end == std::string_view::npos ? "" : rest.substr(end + (brackets ? 1 : 0));
    if (!behind.empty()) {
      if (behind.front() != ':' || behind.size() == 1) return bad("what follows the address is no port");
      port = behind.substr(1);
    }
    if (address.host.empty()) return bad("its address is empty");
  }
  if (!port.empty()) {
    const auto number = number_of(port);
    if (!number || *number == 0 || (!address.context && *number > 65'535))
      return bad("there is no such port");
    address.port = *number;
  }
  return address;
}

}  // namespace vtax::profile
