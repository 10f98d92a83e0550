#pragma once

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/descriptor.h"
#include "core/result.h"
#include "workload/http/deadlines.h"
#include "workload/http/head_buffer.h"
#include "workload/http/places.h"
#include "workload/http/request.h"
#include "workload/http/site.h"

namespace vtax::http {

// What one thread of the server has done.
struct ServerCounts {
  using Instant = std::chrono::steady_clock::time_point;

  std::uint64_t connections = 0, requests = 0, responses = 0, bytes = 0;
  std::uint64_t bad_requests = 0, not_found = 0, timeouts = 0, too_many = 0, resets = 0, closed = 0;
  std::optional<Instant> first, last;  // first request, last response

  void add(const ServerCounts& other);
};

// One thread of the server: accepts, reads, answers, all non-blocking on one epoll instance. A connection is
// registered once, edge-triggered for both directions; a connection that ends with its first response never
// is.
class ServerLoop {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  struct Limits {
    std::size_t connections = 0;
    std::chrono::nanoseconds idle{};
    std::optional<Instant> end;
  };

  // `stops`: descriptors that end the loop when they are readable.
  ServerLoop(const Site& site, int listener, const Limits& limits, const std::vector<int>& stops);

  [[nodiscard]] Result<> run();
  [[nodiscard]] const ServerCounts& counts() const { return counts_; }

 private:
  struct Connection {
    Descriptor fd;
    HeadBuffer head{kLongestRequestHead};
    std::string input;  // read, but not to be looked at before the response is out
    std::string out;    // what is left of the response's head
    const Site::Content* body = nullptr;
    std::uint64_t body_at = 0;  // sent so far
    std::uint64_t drained = 0;
    bool registered = false, writing = false, counts = false, close_after = false, draining = false;
  };
  enum class SendState { finished, blocked, closed };

  void accept_some();
  void refuse_connection(int fd);
  void on_event(std::uint32_t index, std::uint32_t events);
  void read_some(std::uint32_t index, bool to_the_end);
  SendState consume(std::uint32_t index, std::string_view data);
  SendState answer(std::uint32_t index, const Request& request);
  SendState answer_status(std::uint32_t index, int status, bool head_only);
  SendState send_file(std::uint32_t index, const Site::Content& content, const Request& request);
  SendState flush(std::uint32_t index);
  SendState finish(std::uint32_t index);
  SendState broken(std::uint32_t index, int error);
  void drain(std::uint32_t index);
  void register_connection(std::uint32_t index);
  void close_connection(std::uint32_t index);
  void close_expired();
  void renew_date();
  [[nodiscard]] int wait_ms() const;

  const Site& site_;
  int listener_;
  Limits limits_;
  Descriptor epoll_;
  std::vector<int> stops_;
  Places<Connection> connections_;
  std::vector<std::uint32_t> again_;
  std::size_t open_ = 0;
  Deadlines deadlines_;
  Instant now_;
  std::int64_t date_second_ = 0;
  std::string head_keep_, head_close_, head_keep_1_0_, date_;
  std::vector<char> buffer_;
  bool accepting_ = true;
  ServerCounts counts_;
};

}  // namespace vtax::http
