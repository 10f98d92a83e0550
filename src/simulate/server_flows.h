#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "simulate/event_loop.h"
#include "simulate/flow.h"
#include "simulate/prices.h"
#include "simulate/wire.h"
#include "simulate/worker.h"
#include "subject/trial_spec.h"

namespace vtax::simulate {

// What all guests of a server share.
struct ServerStations {
  EventLoop& loop;
  Worker& driver;
  Worker& peer;
  Wire& in;
  Wire& out;
};

// The flows of one cell's guests through a server, at the prices of one guest. Lives as long as they do, and
// so do the spec and the prices.
class ServerFlows {
 public:
  ServerFlows(const ServerStations& stations, const TrialSpec& spec, const PricedCell& prices)
      : stations_(stations), spec_(spec), prices_(prices) {}

  // Of so many bytes, exchanges, or whatever else the workload does, from this guest.
  [[nodiscard]] FlowPlan plan_for(Worker& guest, std::uint64_t amount);

 private:
  [[nodiscard]] bool has_wire() const { return spec_.topology != Topology::inside; }
  [[nodiscard]] Ns time_of(std::uint64_t instructions, double part) const;
  [[nodiscard]] FlowPlan stream(Worker& guest, std::uint64_t amount);
  [[nodiscard]] FlowPlan exchanges(Worker& guest, std::uint64_t amount);
  [[nodiscard]] std::uint64_t window_bytes() const;
  [[nodiscard]] std::optional<Ns> time_elsewhere(std::uint64_t request, std::uint64_t response) const;

  ServerStations stations_;
  const TrialSpec& spec_;
  const PricedCell& prices_;
  std::vector<std::unique_ptr<Wire>> delays_;  // of each guest's exchanges
};

[[nodiscard]] bool is_exchange(WorkloadId workload);
[[nodiscard]] std::uint64_t sum_of(const PricedCell::Costs& costs);

// What a stream's items carry.
[[nodiscard]] std::uint64_t item_bytes(const TrialSpec& spec);

}  // namespace vtax::simulate
