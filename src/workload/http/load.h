#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "workload/http/url.h"

namespace vtax::http {

// What a client shall do.
struct Load {
  Url url;
  std::string host;  // for the Host field; empty: the URL's

  // One of the three:
  enum class Mode {
    requests,     // open loop: `rate` requests are due each second, whatever the server does
    connections,  // open loop: `rate` connections are due each second, each with `requests_per_connection`
    closed,       // closed loop: `connections` of them, each sends as soon as it has its response
  };
  Mode mode = Mode::requests;
  double rate = 0;       // per second, over all threads
  bool poisson = false;  // exponential times between those that are due, with the same mean; else equal ones
  bool keep_alive = false;  // requests, closed: else each request has a connection of its own
  std::uint32_t requests_per_connection = 1;

  // closed: how many. Otherwise how many there may be at once; a request that is due waits for one.
  std::size_t connections = 1000;
  // From when a request was begun to its response's last byte; and what has been due for so long without a
  // connection is given up.
  // So many requests in all, in place of a time (run_requests()); `duration` is then a limit. In the closed
  // loop a connection carries `requests_per_connection` of them, if keep_alive.
  std::uint64_t total = 0;
  std::chrono::nanoseconds timeout = std::chrono::seconds(5);
  std::chrono::nanoseconds late =
      std::chrono::milliseconds(1);  // what begins so much after it was due counts as late
  std::chrono::nanoseconds warm_up{}, duration = std::chrono::seconds(10),
                                      interval{};  // interval 0: no reports
  int threads = 1;
  std::uint64_t seed = 1;
  bool drop_content = false;  // the kernel throws content away instead of copying it (MSG_TRUNC)
};

}  // namespace vtax::http
