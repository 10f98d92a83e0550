#pragma once

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/descriptor.h"
#include "core/net_address.h"
#include "core/result.h"
#include "workload/http/head_buffer.h"
#include "workload/http/request.h"

namespace vtax::watch {

// "127.0.0.1:9177", "[::1]:9177"; a port alone is loopback's, and 0 takes a free one.
[[nodiscard]] Result<NetAddress> parse_listen_address(std::string_view text);
[[nodiscard]] bool is_loopback(const NetAddress& address);

// Answers GET /metrics over HTTP, in the thread of whoever calls serve(), and never waits. A connection has
// one answer and ten seconds; of more than 64 the oldest goes, so that nobody can keep others out for long.
class MetricsListener {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  static constexpr std::size_t kMostConnections = 64;
  static constexpr std::chrono::seconds kPatience{10};

  // `render`: the metrics' text, asked for when somebody wants it and something has changed(). Errors:
  // unavailable when the port is in use, usage when the address is none of this computer's.
  [[nodiscard]] static Result<MetricsListener> open(const NetAddress& address,
                                                    std::function<std::string()> render);

  [[nodiscard]] std::vector<pollfd> waits_for() const;
  void serve();
  // The metrics are others than before.
  void changed() { text_.reset(); }

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  struct Connection {
    Descriptor fd;
    Instant since;
    http::HeadBuffer head{http::kLongestRequestHead};
    std::string answer;                       // its head, and what is small
    std::shared_ptr<const std::string> text;  // what follows, shared by all who ask for the same
    std::size_t sent = 0;
    bool is_answered = false, is_sent = false;
  };

  MetricsListener(Descriptor socket, std::uint16_t port, std::function<std::string()> render);
  void accept_some();
  [[nodiscard]] bool advance(Connection& connection);  // false: it is over
  [[nodiscard]] bool read_request(Connection& connection);
  [[nodiscard]] bool send_answer(Connection& connection);
  void answer(Connection& connection, const http::Request& request);

  Descriptor socket_;
  std::uint16_t port_;
  std::function<std::string()> render_;
  std::shared_ptr<const std::string> text_;
  std::vector<Connection> connections_;  // the oldest first
};

}  // namespace vtax::watch
