#include "workload/iperf3/protocol.h"

#include <arpa/inet.h>
#include <endian.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace vtax::iperf3 {

std::string_view meaning(std::int32_t error) {
  switch (error) {
    case 5:
      return "the test is longer than the server allows";
    case 6:
      return "more parallel streams than the server allows";
    case 7:
      return "the server does not take this size of a write";
    case 8:
      return "the server does not take this window";
    case 13:
      return "the server does not implement what was asked for";
    case 18:
      return "the server has no SCTP";
    case 27:
      return "the server allows no such rate";
    case 114:
      return "the server does not take the test's parameters";
    case 117:
      return "the server does not take this side's results";
    case 123:
      return "the server could not set the largest segment";
    case 124:
      return "the server could not set the window";
    case 134:
      return "the server does not have this congestion control";
    case 142:
      return "the server wants a user's name and password";
    case 202:
      return "the server cannot listen for the streams";
    default:
      return "";
  }
}

Result<Cookie> make_cookie() {
  constexpr std::string_view kDigits = "abcdefghijklmnopqrstuvwxyz234567";
  Cookie cookie{};
  if (getrandom(cookie.data(), cookie.size(), 0) != static_cast<ssize_t>(cookie.size()))
    return fail(system_error("make a cookie for the test", errno));
  for (char& c : cookie) c = kDigits[static_cast<unsigned char>(c) % kDigits.size()];
  cookie.back() = '\0';
  return cookie;
}

bool plausible(const Cookie& cookie) {
  return cookie.back() == '\0' &&
         std::all_of(cookie.begin(), cookie.end() - 1, [](char c) { return c > ' ' && c < '\x7f'; });
}

void write_stamp(const DatagramStamp& stamp, bool wide, std::byte* into) {
  const std::uint32_t seconds = htonl(static_cast<std::uint32_t>(stamp.sent_ns / 1'000'000'000));
  const std::uint32_t micros = htonl(static_cast<std::uint32_t>(stamp.sent_ns % 1'000'000'000 / 1000));
  std::memcpy(into, &seconds, 4);
  std::memcpy(into + 4, &micros, 4);
  if (wide) {
    const std::uint64_t number = htobe64(stamp.number);
    std::memcpy(into + 8, &number, 8);
  } else {
    const std::uint32_t number = htonl(static_cast<std::uint32_t>(stamp.number));
    std::memcpy(into + 8, &number, 4);
  }
}

DatagramStamp read_stamp(const std::byte* from, bool wide) {
  std::uint32_t seconds = 0, micros = 0;
  std::memcpy(&seconds, from, 4);
  std::memcpy(&micros, from + 4, 4);
  DatagramStamp stamp;
  stamp.sent_ns = static_cast<std::int64_t>(ntohl(seconds)) * 1'000'000'000 +
                  static_cast<std::int64_t>(ntohl(micros)) * 1000;
  if (wide) {
    std::memcpy(&stamp.number, from + 8, 8);
    stamp.number = be64toh(stamp.number);
  } else {
    std::uint32_t number = 0;
    std::memcpy(&number, from + 8, 4);
    stamp.number = ntohl(number);
  }
  return stamp;
}

}  // namespace vtax::iperf3
