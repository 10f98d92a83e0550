#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "core/descriptor.h"
#include "core/result.h"
#include "workload/measure/repeat.h"
#include "workload/session/secret.h"
#include "workload/traffic/endpoint_client.h"

namespace vtax {

// By hand, without a study: a server that waits, and a client that orders work from itself and from it. Both
// ends are endpoints, as in a study; the session is their controller.

struct ServerOptions {
  std::string host;                     // to bind
  std::uint16_t port = 0;               // of the control connections; 0: the system chooses
  std::uint16_t data_port = 0;          // of the flows; 0: the system chooses one for each session
  std::chrono::nanoseconds lifetime{};  // ends by itself after that; 0: never
  int most_sessions = 8;                // at once
};

// Serves until interrupted or until its lifetime is over; `on_event` is told of its port ("listening on
// ..."), of sessions and of refusals. Each session is a process of its own, which ends with its client or
// with this one.
[[nodiscard]] Result<> serve_sessions(const ServerOptions& options, const Secret& secret,
                                      const std::function<void(const std::string&)>& on_event);

struct SessionOptions {
  std::string host;  // of the server
  std::uint16_t port = 0;
  std::chrono::nanoseconds patience = std::chrono::seconds(5);  // for the server to answer
};

class Session {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Session>> open(const SessionOptions& options,
                                                             const Secret& secret);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // One repeat on new connections; the receiving side of a stream comes first. Datagrams that are lost are
  // reported, everything else that is missing is an error. An interruption ends it. `on_interval` is told, in
  // a thread of its own, of what this side has done in each interval of the order as it ends: what was sent
  // is not known to have come by then, as the other side's intervals in the answer are.
  [[nodiscard]] Result<Repeat> run(const Order& order,
                                   const std::function<void(const IntervalReport&)>& on_interval = {});

 private:
  Session(const SessionOptions& options, EndpointClient remote, EndpointClient local, Descriptor intervals,
          pid_t process)
      : options_(options),
        remote_(std::move(remote)),
        local_(std::move(local)),
        intervals_(std::move(intervals)),
        process_(process) {}

  [[nodiscard]] Result<Repeat> run_on_flows(const Order& order);

  SessionOptions options_;
  EndpointClient remote_, local_;
  Descriptor intervals_;  // the local endpoint's, as they end
  pid_t process_;         // of the local endpoint
};

}  // namespace vtax
