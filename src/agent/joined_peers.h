#pragma once

#include <vector>

#include "agent/lab_plan.h"
#include "core/result.h"
#include "platform/platform.h"
#include "workload/traffic/endpoint_client.h"

// Topology "joined": the system's machine and its peer's, each an emulator of its own. The work goes over the
// system's card in the one and the peer's card in the other; the controller, in the system's machine, gives
// its orders to the peers over the two cards that the work leaves alone, so that no device that is counted
// sees them.
namespace vtax::agent {

// In the system's machine: the peers of guest 1, 2, ..., which listen soon, and the name of their card for
// the setup, to which they belong. The controller's card is on the peer's CPU, which is not the system's.
[[nodiscard]] Result<> join_peers(const LabPlan& plan, std::vector<EndpointClient>& peers, Setup& setup);

// In the peer's machine: one peer for each guest, each of which obeys the controller. Returns only by an
// error.
[[nodiscard]] Result<> serve_as_peer(const LabPlan& plan);

}  // namespace vtax::agent
