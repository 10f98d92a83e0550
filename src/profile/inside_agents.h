#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "profile/agent.h"
#include "watch/reading.h"
#include "workload/session/secret.h"

namespace vtax::profile {

// Agents that tell what goes on inside their guests, each asked by a thread of its own, so that one that is
// late or gone holds up nothing; who is not there is sought again every few seconds.
class InsideAgents {
 public:
  InsideAgents(std::vector<AgentAddress> addresses, const Secret& secret);
  ~InsideAgents();
  InsideAgents(const InsideAgents&) = delete;
  InsideAgents& operator=(const InsideAgents&) = delete;

  // Just before a reading is taken.
  void ask();
  // What they have answered until now, or within a few hundredths of a second, into the guests of their
  // names; why there is nothing, otherwise. What has no such guest is said in Reading::missing.
  void add_to(watch::Reading& reading);

 private:
  struct Asked;
  std::vector<std::shared_ptr<Asked>> agents_;
};

}  // namespace vtax::profile
