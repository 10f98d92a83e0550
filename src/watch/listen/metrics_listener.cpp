#include "watch/listen/metrics_listener.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include "core/readable.h"
#include "workload/http/listener.h"

namespace vtax::watch {
namespace {

constexpr std::string_view kMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8";
constexpr std::size_t kMostRefusedBytes = 1U << 20U;  // read after a refusal, so that it arrives

std::string head_of(int status, std::string_view reason, std::string_view type, std::size_t size) {
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
      status, reason, type, size);
}

std::string small_answer(int status, std::string_view reason, std::string_view text, bool head_only) {
  return head_of(status, reason, "text/plain; charset=utf-8", text.size()) +
         (head_only ? "" : std::string(text));
}

std::string refusal(int status) {
  const std::string_view reason = status == 405   ? "Method Not Allowed"
                                  : status == 413 ? "Content Too Large"
                                  : status == 414 ? "URI Too Long"
                                  : status == 431 ? "Request Header Fields Too Large"
                                  : status == 505 ? "HTTP Version Not Supported"
                                                  : "Bad Request";
  return small_answer(status, reason, fmt::format("{} {}\n", status, reason), false);
}

}  // namespace

Result<NetAddress> parse_listen_address(std::string_view text) {
  const std::string what = fmt::format("cannot listen on '{}'", printable(text));
  const std::size_t colon = text.rfind(':');
  const std::string_view digits = colon == std::string_view::npos ? text : text.substr(colon + 1);
  const std::string_view host = colon == std::string_view::npos ? "127.0.0.1" : text.substr(0, colon);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size())
    return fail({what, "it does not end in a port", "for example --listen 127.0.0.1:9177"});
  // Without brackets nobody can tell where an address of IPv6 ends.
  if (host.find(':') != std::string_view::npos && !host.starts_with('['))
    return fail({what, "an address of IPv6 stands in brackets", "for example --listen [::1]:9177"});
  auto address = NetAddress::parse(host, port);
  if (!address) return fail({what, address.error().why, "for example --listen 127.0.0.1:9177"});
  return address;
}

bool is_loopback(const NetAddress& address) {
  if (address.family() == AF_INET) {
    sockaddr_in in{};
    std::copy_n(reinterpret_cast<const char*>(address.get()), sizeof in, reinterpret_cast<char*>(&in));
    return ntohl(in.sin_addr.s_addr) >> 24U == 127;
  }
  return address.host() == "::1";
}

namespace {

// What to do where nobody can listen.
std::string advice_on(const NetAddress& address) {
  constexpr std::uint16_t kUsual = 9177, kFirstForAll = 1024, kLast = 65535;
  if (address.port() < kFirstForAll && ::geteuid() != 0)
    return fmt::format("ports below 1024 are root's: choose one above (--listen {}), or start it as root",
                       host_and_port(address.host(), kUsual));
  const auto other = address.port() == kLast ? kUsual : static_cast<std::uint16_t>(address.port() + 1);
  return fmt::format("choose another port (--listen {}), or end what listens there (ss -ltnp)",
                     host_and_port(address.host(), other));
}

}  // namespace

MetricsListener::MetricsListener(Descriptor socket, std::uint16_t port, std::function<std::string()> render)
    : socket_(std::move(socket)), port_(port), render_(std::move(render)) {}

Result<MetricsListener> MetricsListener::open(const NetAddress& address,
                                              std::function<std::string()> render) {
  auto listening = http::listen_on(address.host(), address.port(), 1);
  if (!listening) {
    Error error = listening.error();
    if (error.code == ExitCode::usage) {
      error.next = "--listen takes an address of this computer (ip address); 127.0.0.1 is always there";
    } else {
      error.code = ExitCode::unavailable;
      error.next = advice_on(address);
    }
    return fail(std::move(error));
  }
  return MetricsListener(std::move(listening->sockets[0]), listening->port, std::move(render));
}

std::vector<pollfd> MetricsListener::waits_for() const {
  std::vector<pollfd> out{{socket_.get(), POLLIN, 0}};
  for (const Connection& one : connections_) {
    const bool writes = one.is_answered && !one.is_sent;
    out.push_back({one.fd.get(), static_cast<short>(writes ? POLLOUT : POLLIN), 0});
  }
  return out;
}

void MetricsListener::serve() {
  accept_some();
  const Instant now = std::chrono::steady_clock::now();
  std::erase_if(connections_, [&](Connection& one) { return now - one.since > kPatience || !advance(one); });
}

void MetricsListener::accept_some() {
  constexpr int kMostAtOnce = 64;  // who connects without end does not keep readings from being taken
  for (int i = 0; i < kMostAtOnce; ++i) {
    Descriptor fd(accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) return;
    if (connections_.size() == kMostConnections) connections_.erase(connections_.begin());
    Connection one;
    one.fd = std::move(fd);
    one.since = std::chrono::steady_clock::now();
    connections_.push_back(std::move(one));
  }
}

bool MetricsListener::advance(Connection& connection) {
  if (!connection.is_answered && !read_request(connection)) return false;
  if (connection.is_answered && !connection.is_sent && !send_answer(connection)) return false;
  if (!connection.is_sent) return true;
  // Whatever else it says is read and forgotten: to close with something unread would take the answer back.
  std::array<char, 16384> buffer{};
  for (std::size_t drained = 0; drained < kMostRefusedBytes; drained += buffer.size()) {
    const ssize_t got = recv(connection.fd.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EAGAIN) return true;
    if (got <= 0) return false;
  }
  return false;
}

bool MetricsListener::read_request(Connection& connection) {
  std::array<char, 4096> buffer{};
  while (!connection.is_answered) {
    const ssize_t got = recv(connection.fd.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return true;
    if (got <= 0) return false;
    std::size_t used = 0;
    std::string_view head;
    switch (connection.head.take({buffer.data(), static_cast<std::size_t>(got)}, used, head)) {
      case http::HeadBuffer::State::incomplete:
        break;
      case http::HeadBuffer::State::complete:
        answer(connection, http::parse_request(head));
        break;
      case http::HeadBuffer::State::too_long:
        connection.answer = refusal(431);
        connection.is_answered = true;
        break;
      case http::HeadBuffer::State::bare_line_feed:
        connection.answer = refusal(400);
        connection.is_answered = true;
        break;
    }
  }
  return true;
}

void MetricsListener::answer(Connection& connection, const http::Request& request) {
  connection.is_answered = true;
  std::string storage;
  const std::string_view path = request.refusal != 0 ? "" : http::path_of(request.target, storage);
  if (path.empty()) {
    connection.answer = refusal(request.refusal != 0 ? request.refusal : 400);
  } else if (path == "/metrics") {
    if (text_ == nullptr) text_ = std::make_shared<const std::string>(render_());
    connection.answer = head_of(200, "OK", kMetricsType, text_->size());
    if (!request.head) connection.text = text_;
  } else if (path == "/") {
    connection.answer = small_answer(200, "OK", "vtax top: the metrics are at /metrics\n", request.head);
  } else {
    connection.answer =
        small_answer(404, "Not Found", "404 Not Found: the metrics are at /metrics\n", request.head);
  }
}

bool MetricsListener::send_answer(Connection& connection) {
  const std::size_t in_text = connection.text == nullptr ? 0 : connection.text->size();
  while (connection.sent < connection.answer.size() + in_text) {
    const bool is_head = connection.sent < connection.answer.size();
    const std::string_view rest =
        is_head ? std::string_view(connection.answer).substr(connection.sent)
                : std::string_view(*connection.text).substr(connection.sent - connection.answer.size());
    const ssize_t sent = send(connection.fd.get(), rest.data(), rest.size(),
                              MSG_NOSIGNAL | (is_head && in_text > 0 ? MSG_MORE : 0));
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN;
    connection.sent += static_cast<std::size_t>(sent);
  }
  connection.is_sent = true;
  connection.text.reset();
  shutdown(connection.fd.get(), SHUT_WR);
  return true;
}

}  // namespace vtax::watch
