#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "core/result.h"
#include "profile/agent.h"
#include "workload/session/secret.h"

namespace vtax {

// Agents in guests, as `vtax profile` and `vtax top` are told of them.
struct GuestAgentsGiven {
  std::vector<std::string> guests;
  std::string token, token_file;
};

void add_guest_agents(CLI::App& app, GuestAgentsGiven& given);

// Error (usage): one cannot be read, is named twice, or has this computer's own name.
[[nodiscard]] Result<std::vector<profile::AgentAddress>> addresses_of(const GuestAgentsGiven& given);

}  // namespace vtax
