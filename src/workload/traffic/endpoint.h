#pragma once

#include <functional>
#include <optional>

#include "core/result.h"
#include "workload/traffic/control_channel.h"
#include "workload/traffic/flow_setup.h"
#include "workload/traffic/run_request.h"

namespace vtax {

// One end of a workload: a program that takes orders from a control channel, one at a time, until the channel
// closes. Orders: {"do": "announce" | "listen" | "accept" | "connect" | "run", ...}. Each is answered by
// {"state": "done", ...} or by
// {"state": "error", "what", "why"}; "run" first by {"state": "armed"}: from there on this end is silent
// until its work and its quiet time are over.
class Endpoint {
 public:
  // Orders that the endpoint does not know itself (what belongs to a guest as a whole). No value: not known
  // either. `control`: by which an order was given that says something before its answer.
  using MoreOrders = std::function<std::optional<Result<nlohmann::json>>(
      const std::string& order, const JsonFields&, ControlChannel& control)>;

  // Of an endpoint that strangers may give orders to: it listens where its owner said, whatever the order
  // says.
  struct Limits {
    std::string host;             // empty: no limits
    std::uint16_t data_port = 0;  // 0: the system chooses
  };

  explicit Endpoint(ControlChannel control, MoreOrders more = {})
      : Endpoint(std::move(control), std::move(more), {}) {}
  Endpoint(ControlChannel control, MoreOrders more, Limits limits)
      : control_(std::move(control)), more_(std::move(more)), limits_(std::move(limits)) {}

  // From now on of each interval of its work, as it ends.
  void tell_intervals(std::function<void(const IntervalReport&)> on_interval) {
    on_interval_ = std::move(on_interval);
  }

  // Returns when the channel closes or breaks.
  Error serve();

 private:
  Result<nlohmann::json> obey(const JsonFields& order);
  Result<nlohmann::json> announce(const JsonFields& order);
  Result<nlohmann::json> listen(const JsonFields& order);
  Result<nlohmann::json> accept(const JsonFields& order);
  Result<nlohmann::json> connect(const JsonFields& order);
  Result<nlohmann::json> run(const JsonFields& order);
  Result<> wait_for_collect(bool silent);
  Result<> take_stop();

  ControlChannel control_;
  MoreOrders more_;
  Limits limits_;
  std::function<void(const IntervalReport&)> on_interval_;
  Descriptor listener_;
  TcpAddress partner_;  // of the initiator
  std::vector<Flow> flows_;
};

}  // namespace vtax
