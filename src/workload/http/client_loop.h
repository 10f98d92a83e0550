#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/descriptor.h"
#include "core/result.h"
#include "workload/http/client_counts.h"
#include "workload/http/deadlines.h"
#include "workload/http/load.h"
#include "workload/http/places.h"
#include "workload/http/request_source.h"
#include "workload/http/response_parser.h"
#include "workload/http/schedule.h"

namespace vtax::http {

// The measured span on the steady clock; requests are due from `start`.
struct LoadTimes {
  std::chrono::steady_clock::time_point start, begin, end;
};

// One thread of the client, all non-blocking on one epoll instance. A connection is registered once,
// edge-triggered for both directions; in the closed loop with keep-alive a transaction is one send, one
// receive and a part of an epoll_wait.
class ClientLoop {
 public:
  // Thread `number` of load.threads.
  ClientLoop(const Load& load, const RequestSource& source, const LoadTimes& span, int number);

  // Returns when the span is over and every request has its response, or its time is over.
  [[nodiscard]] Result<> run();
  [[nodiscard]] const ClientCounts& counts() const { return counts_; }

 private:
  using Instant = std::chrono::steady_clock::time_point;

  enum class State : std::uint8_t { none, connecting, waiting, idle };
  struct Connection {
    Descriptor fd;
    State state = State::none;
    std::uint32_t target = 0, requests_left = 0;
    std::string_view unsent;
    Instant due, begun;
    ResponseParser parser;
  };

  void wait_for_events();
  void gather();
  [[nodiscard]] std::chrono::nanoseconds time_to_wait() const;
  void begin_what_is_due();
  void go_on();
  bool begin_one(Instant due);
  std::uint32_t open_connection();
  void begin_request(std::uint32_t index, Instant due);
  void send_some(std::uint32_t index);
  void on_event(std::uint32_t index, std::uint32_t events);
  void receive_some(std::uint32_t index, std::uint32_t events);
  void complete(std::uint32_t index);
  void finish_connection(std::uint32_t index, bool reusable);
  void fail_request(std::uint32_t index, Failure failure);
  void fail_by_errno(std::uint32_t index, int error);
  void count_failure(Failure failure, Instant due);
  void close_connection(std::uint32_t index);
  void expire();
  void restart_later();
  void meter_cpu();
  Result<> end_early();
  void read_clock() { now_ = std::chrono::steady_clock::now(); }
  static std::uint64_t count_of(std::chrono::nanoseconds time) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0));
  }
  [[nodiscard]] bool in_span(Instant at) const { return at >= span_.begin && at < span_.end; }
  [[nodiscard]] bool over() const;
  // Of a fixed number of requests: all have been begun.
  [[nodiscard]] bool all_begun() const { return load_.total != 0 && counts_.requests >= load_.total; }
  // In the open loop of connections a connection that is open makes all of its requests.
  [[nodiscard]] bool connections_begun() const {
    return load_.total != 0 && counts_.connections * load_.requests_per_connection >= load_.total;
  }
  // Requests of a connection that is not open yet.
  [[nodiscard]] std::uint32_t requests_of_one() const {
    return load_.mode == Load::Mode::connections || load_.total != 0 ? load_.requests_per_connection : 1;
  }

  const Load& load_;
  const RequestSource& source_;
  const LoadTimes span_;
  const bool closed_loop_;
  const bool reuse_;  // idle connections serve whatever is due next
  const std::size_t most_connections_;
  Descriptor epoll_;
  Places<Connection> connections_;
  std::vector<std::uint32_t> idle_;
  std::size_t open_ = 0, in_flight_ = 0;
  std::vector<std::uint32_t> answered_;  // closed loop: to send their next request when all events are seen
  std::size_t replaced_ = 0;             // closed loop without keep-alive: connections to be opened then
  std::size_t restarts_ = 0;             // closed loop: connections to be opened after a failure's pause
  Instant restart_at_;
  Deadlines deadlines_;  // of requests in flight, by the time from which their timeout runs
  std::optional<Schedule> schedule_;
  Random random_;
  std::vector<char> buffer_;
  Instant now_;
  bool eager_ = true;                      // the last connection was ready for its request at once
  bool sleeps_finely_ = true;              // the kernel has epoll_pwait2(2)
  std::chrono::nanoseconds usual_time_{};  // closed loop: of a transaction, a moving mean
  bool stalled_ = false;                   // what is due waits for a connection
  std::optional<std::chrono::nanoseconds> cpu_at_begin_;
  bool cpu_read_ = false;
  ClientCounts counts_;
};

}  // namespace vtax::http
