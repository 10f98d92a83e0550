#include "core/net_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>

#include <array>
#include <charconv>
#include <cstring>

#include "core/readable.h"

namespace vtax {
namespace {

constexpr std::size_t kLongestHost = 128;

template <class Address>
Address as(const sockaddr_storage& storage) {
  Address out{};
  std::memcpy(&out, &storage, sizeof out);
  return out;
}

// A device by its name or number; 0 where there is none.
unsigned device_index(const std::string& zone) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(zone.data(), zone.data() + zone.size(), number);
  if (error == std::errc() && end == zone.data() + zone.size()) return number;
  return zone.size() < IF_NAMESIZE ? if_nametoindex(zone.c_str()) : 0;
}

}  // namespace

Result<NetAddress> NetAddress::parse(std::string_view host, std::uint16_t port) {
  const auto wrong = [&](std::string why, std::string next) {
    return fail(Error{fmt::format("cannot use the address '{}'", printable(host)), std::move(why),
                      std::move(next), ExitCode::usage});
  };
  const char* const examples = "for example 192.0.2.7, 2001:db8::7, fe80::1%eth0 or localhost";
  std::string text(host);
  if (text.empty() || text.size() > kLongestHost || text.find('\0') != std::string::npos)
    return wrong("it is no address", examples);
  const bool bracketed = text.front() == '[';
  if (bracketed && (text.size() < 3 || text.back() != ']')) return wrong("its '[' has no ']'", examples);
  if (bracketed) text = text.substr(1, text.size() - 2);
  if (text == "localhost" && !bracketed) text = "127.0.0.1";

  NetAddress out;
  sockaddr_in four{};
  if (!bracketed && inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    std::memcpy(&out.storage_, &four, out.size_ = sizeof four);
    return out;
  }
  std::string zone;
  const std::size_t percent = text.find('%');
  if (percent != std::string::npos) {
    zone = text.substr(percent + 1);
    if (bracketed && zone.starts_with("25") && zone.size() > 2) zone.erase(0, 2);
    text.erase(percent);
    if (zone.empty()) return wrong("no device follows its '%'", examples);
  }
  sockaddr_in6 six{};
  if (inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) != 1)
    return wrong("it is no numeric address",
                 "look a name up first (getent hosts NAME); " + std::string(examples));
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(port);
  const bool local = IN6_IS_ADDR_LINKLOCAL(&six.sin6_addr) != 0;
  if (!zone.empty() && (six.sin6_scope_id = device_index(zone)) == 0)
    return wrong(fmt::format("there is no device '{}'", printable(zone)), "ip link lists them");
  if (local && zone.empty())
    return wrong("such an address is one of a device, and none is named", "for example fe80::1%eth0");
  std::memcpy(&out.storage_, &six, out.size_ = sizeof six);
  return out;
}

NetAddress NetAddress::from(const sockaddr_storage& storage, socklen_t size) {
  NetAddress out;
  out.storage_ = storage;
  out.size_ = size;
  return out;
}

NetAddress NetAddress::any(int family, std::uint16_t port) {
  NetAddress out;
  out.storage_.ss_family = static_cast<sa_family_t>(family);
  out.size_ = family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  out.set_port(port);
  return out;
}

NetAddress NetAddress::of_socket(int fd) {
  NetAddress out;
  out.size_ = sizeof out.storage_;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&out.storage_), &out.size_) != 0) return {};
  return out;
}

NetAddress NetAddress::of_partner(int fd) {
  NetAddress out;
  out.size_ = sizeof out.storage_;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&out.storage_), &out.size_) != 0) return {};
  return out;
}

const sockaddr* NetAddress::get() const {
  return reinterpret_cast<const sockaddr*>(&storage_);
}

std::uint16_t NetAddress::port() const {
  if (family() == AF_INET) return ntohs(as<sockaddr_in>(storage_).sin_port);
  return family() == AF_INET6 ? ntohs(as<sockaddr_in6>(storage_).sin6_port) : std::uint16_t{0};
}

void NetAddress::set_port(std::uint16_t port) {
  if (family() == AF_INET) {
    auto four = as<sockaddr_in>(storage_);
    four.sin_port = htons(port);
    std::memcpy(&storage_, &four, sizeof four);
  } else if (family() == AF_INET6) {
    auto six = as<sockaddr_in6>(storage_);
    six.sin6_port = htons(port);
    std::memcpy(&storage_, &six, sizeof six);
  }
}

std::string NetAddress::host() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (family() == AF_INET) {
    const auto four = as<sockaddr_in>(storage_);
    inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
    return text.data();
  }
  if (family() != AF_INET6) return "";
  const auto six = as<sockaddr_in6>(storage_);
  inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
  std::string out = text.data();
  if (six.sin6_scope_id != 0) {
    std::array<char, IF_NAMESIZE> device{};
    out += '%';
    out += if_indextoname(six.sin6_scope_id, device.data()) != nullptr ? std::string(device.data())
                                                                       : std::to_string(six.sin6_scope_id);
  }
  return out;
}

std::string NetAddress::text() const {
  return host_and_port(host(), port());
}

bool NetAddress::same_host(const NetAddress& other) const {
  if (family() != other.family()) return false;
  if (family() == AF_INET)
    return as<sockaddr_in>(storage_).sin_addr.s_addr == as<sockaddr_in>(other.storage_).sin_addr.s_addr;
  if (family() != AF_INET6) return false;
  const auto one = as<sockaddr_in6>(storage_), two = as<sockaddr_in6>(other.storage_);
  return std::memcmp(&one.sin6_addr, &two.sin6_addr, sizeof one.sin6_addr) == 0 &&
         one.sin6_scope_id == two.sin6_scope_id;
}

std::string host_and_port(std::string_view host, std::uint16_t port) {
  const bool six = host.find(':') != std::string_view::npos && !host.starts_with('[');
  return six ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

}  // namespace vtax
