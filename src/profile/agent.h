#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "profile/monitor.h"
#include "workload/session/secret.h"
#include "workload/traffic/control_channel.h"

// Distributed monitoring: a local monitor in each guest, asked by the one that puts the profile together.
namespace vtax::profile {

inline constexpr std::uint16_t kAgentPort = 5291;

struct AgentOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = kAgentPort;          // 0: the system chooses
  std::optional<std::uint32_t> vsock_port;  // listen there, too
  bool tcp = true;
  std::chrono::nanoseconds lifetime{};  // ends by itself after that; 0: never
};

// Serves until interrupted or until its lifetime is over. Each client, who wants a profile or to be told what
// goes on inside (inside_wire.h), has a process of its own, which ends with it or with this one; four at
// once. `on_event` is told where it listens, of clients and of refusals.
[[nodiscard]] Result<> serve_profiles(const AgentOptions& options, const Secret& secret,
                                      const std::function<void(const std::string&)>& on_event);

// "NAME=ADDRESS[:PORT]", "NAME=[IPV6]:PORT", "NAME=vsock:CID[:PORT]".
struct AgentAddress {
  std::string guest;
  std::string host;
  std::uint32_t port = kAgentPort;
  std::optional<std::uint32_t> context;  // of vsock, in place of `host`
};
[[nodiscard]] Result<AgentAddress> parse_agent_address(std::string_view text);

// An agent that was asked.
class AskedAgent {
 public:
  // Connects, proves the token and has the agent make ready. Error: with the guest's name, and why.
  [[nodiscard]] static Result<AskedAgent> ask(const AgentAddress& address, const Secret& secret,
                                              const MonitorOptions& options);
  // `most_cpus`: what the host knows the guest to have; the agent is not believed more.
  [[nodiscard]] Result<> go(std::optional<std::size_t> most_cpus);
  // When the time is over. Waits for 10 s at most, whatever comes.
  [[nodiscard]] Result<MonitorProfile> profile();
  [[nodiscard]] const std::string& guest() const { return guest_; }

 private:
  AskedAgent(std::string guest, ControlChannel channel, const MonitorOptions& options)
      : guest_(std::move(guest)), channel_(std::move(channel)), options_(options) {}

  std::string guest_;
  ControlChannel channel_;
  MonitorOptions options_;
  std::size_t cpus_ = 0;
  std::uint64_t period_ = 0;
};

}  // namespace vtax::profile
