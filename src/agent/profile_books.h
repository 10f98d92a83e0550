#pragma once

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/lab_plan.h"
#include "controller/trial.h"
#include "profile/agent.h"
#include "profile/monitor.h"
#include "workload/traffic/endpoint_client.h"

namespace vtax::agent {

// What `vtax profile`'s sampling of this computer, and of the guests by their agents, says of the window, for
// the table of its errors against the exact profile (bench/profile_error). The result's "profile":
//   {"window_ns", "sides": [{"domain", "period", "samples", "lost", "own_ns", "cost_ns",
//    "functions": [[image, function, samples], ...], "idle": likewise}, ...]}
// "idle": of samples in the idle task, which an exact profile divides by function.
class ProfileBooks {
 public:
  // Sampling lasts for as long as the options say, from before the window on: it should end in the quiet
  // behind it.
  explicit ProfileBooks(profile::MonitorOptions options) : options_(options) {}

  // Before anything that counts. `guests`: in each an agent is started, and asked.
  [[nodiscard]] Result<> open(const std::string& domain, std::vector<EndpointClient>& guests);
  // After open(). They refer to this object.
  [[nodiscard]] controller::WindowHooks hooks();

 private:
  Result<> begin();
  Result<> end();
  void describe(nlohmann::json& result) const;

  struct Side {
    std::string domain;
    profile::MonitorProfile profile;
  };
  profile::MonitorOptions options_;
  std::string domain_;
  std::optional<profile::Monitor> monitor_;
  std::vector<profile::AskedAgent> agents_;
  std::thread running_;
  std::chrono::steady_clock::time_point begun_;
  std::chrono::nanoseconds window_{};
  std::vector<Side> sides_;
};

[[nodiscard]] profile::MonitorOptions sampling_of(const LabPlan& plan);

// A guest's order {"do": "agent", "token"}: from now on its agent serves profiles on this address, until the
// guest ends.
[[nodiscard]] Result<nlohmann::json> obey_agent(const std::string& ipv4, const JsonFields& order);

}  // namespace vtax::agent
