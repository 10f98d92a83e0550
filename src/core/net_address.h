#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vtax {

// An address of IPv4 or IPv6 with a port, as the socket calls take it. Every verb reads hosts with this, so
// that what works in one works in all.
class NetAddress {
 public:
  // "192.0.2.7", "2001:db8::7", "fe80::1%eth0" (the device by name or number), each also in brackets and
  // there with "%25" for "%" (RFC 6874), and "localhost", which is 127.0.0.1. Other names are an error that
  // says how to look them up: a static program resolves none.
  [[nodiscard]] static Result<NetAddress> parse(std::string_view host, std::uint16_t port);
  // What a socket is bound or connected to; nothing known is the family AF_UNSPEC.
  [[nodiscard]] static NetAddress of_socket(int fd);
  [[nodiscard]] static NetAddress of_partner(int fd);
  // As accept(2) and recvfrom(2) fill it in.
  [[nodiscard]] static NetAddress from(const sockaddr_storage& storage, socklen_t size);
  // Any address of this family, for a socket that only wants a port.
  [[nodiscard]] static NetAddress any(int family, std::uint16_t port);

  [[nodiscard]] int family() const { return storage_.ss_family; }
  [[nodiscard]] const sockaddr* get() const;
  [[nodiscard]] socklen_t size() const { return size_; }
  [[nodiscard]] std::uint16_t port() const;
  void set_port(std::uint16_t port);
  // "192.0.2.7", "fe80::1%eth0": without the port.
  [[nodiscard]] std::string host() const;
  // "192.0.2.7:80", "[2001:db8::7]:80".
  [[nodiscard]] std::string text() const;
  // The same machine, whatever the port.
  [[nodiscard]] bool same_host(const NetAddress& other) const;

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

// A host as it was given, and a port, for messages: "localhost:80", "[::1]:80".
[[nodiscard]] std::string host_and_port(std::string_view host, std::uint16_t port);

}  // namespace vtax
