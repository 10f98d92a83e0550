#pragma once

#include "core/result.h"
#include "workload/control_channel.h"
#include "workload/session/secret.h"

namespace vtax {

// The first messages on a control connection: each side sends a random number and answers the other's with
// its proof of the secret. Whoever cannot is told no more than that.
[[nodiscard]] Result<> shake_hands_as_server(ControlChannel& channel, const Secret& secret);
[[nodiscard]] Result<> shake_hands_as_client(ControlChannel& channel, const Secret& secret,
                                             std::chrono::nanoseconds patience);

}  // namespace vtax
