#pragma once

#include "core/result.h"
#include "workload/session/secret.h"
#include "workload/traffic/control_channel.h"

namespace vtax {

// The first messages on a control connection: each side sends a random number and answers the other's with
// its proof of the secret. Whoever cannot is told no more than that.

// The server's part, a message at a time (lobby.h): its random number, the greeting that has it, and what the
// client's answer must be. The value is the client's own random number, which welcome_with() answers.
[[nodiscard]] Result<std::string> make_challenge();
[[nodiscard]] nlohmann::json greeting_with(const std::string& challenge);
[[nodiscard]] Result<std::string> challenge_of(const JsonFields& answer, const std::string& challenge,
                                               const Secret& secret);
[[nodiscard]] nlohmann::json welcome_with(const std::string& their_challenge, const Secret& secret);

[[nodiscard]] Result<> shake_hands_as_client(ControlChannel& channel, const Secret& secret,
                                             std::chrono::nanoseconds patience);

}  // namespace vtax
