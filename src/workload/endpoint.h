#pragma once

#include <functional>
#include <optional>

#include "core/result.h"
#include "workload/control_channel.h"
#include "workload/run_request.h"
#include "workload/tcp_socket.h"

namespace vtax {

// One end of a workload: a program that takes orders from a control channel, one at a time, until the channel
// closes. Orders: {"do": "announce" | "listen" | "accept" | "connect" | "run", ...}. Each is answered by
// {"state": "done", ...} or by
// {"state": "error", "what", "why"}; "run" first by {"state": "armed"}: from there on this end is silent
// until its work and its quiet time are over.
class Endpoint {
 public:
  // Orders that the endpoint does not know itself (what belongs to a guest as a whole). No value: not known
  // either.
  using MoreOrders =
      std::function<std::optional<Result<nlohmann::json>>(const std::string& order, const JsonFields&)>;

  explicit Endpoint(ControlChannel control, MoreOrders more = {})
      : control_(std::move(control)), more_(std::move(more)) {}

  // Returns when the channel closes or breaks.
  Error serve();

 private:
  Result<nlohmann::json> obey(const JsonFields& order);
  Result<nlohmann::json> announce(const JsonFields& order);
  Result<nlohmann::json> listen(const JsonFields& order);
  Result<nlohmann::json> accept(const JsonFields& order);
  Result<nlohmann::json> connect(const JsonFields& order);
  Result<nlohmann::json> run(const JsonFields& order);

  ControlChannel control_;
  MoreOrders more_;
  Descriptor listener_, connection_;
};

}  // namespace vtax
