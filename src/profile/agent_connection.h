#pragma once

#include "core/result.h"
#include "profile/agent.h"
#include "workload/session/secret.h"
#include "workload/traffic/control_channel.h"

namespace vtax::profile {

// Connects to a guest's agent, by TCP or vsock, and proves the token. Ends with an interruption. Error: with
// the guest's name, and why.
[[nodiscard]] Result<ControlChannel> connect_to_agent(const AgentAddress& address, const Secret& secret);

}  // namespace vtax::profile
