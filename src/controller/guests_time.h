#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "controller/program_pairs.h"
#include "workload/orders/programs_time.h"

namespace vtax::controller {

// How guests divide their own time between programs and kernel (programs_time.h), where no book of this
// machine's says so: QEMU's and Xen's. Programs of User Mode Linux are processes, and those of no guest, too.
class GuestsTime {
 public:
  // `wanted`: else nobody is asked.
  GuestsTime(const ProgramPairs& pairs, const Bench& bench, bool wanted);

  [[nodiscard]] bool is_said() const { return said_; }

  enum class When { before, after };
  // Of the guests that run clients; they hear no order while these run, unless at a mark.
  [[nodiscard]] Result<> ask_with_clients(When when);
  // Of those that run servers.
  [[nodiscard]] Result<> ask_with_servers(When when);

  // "systems_user_ns" and "systems_kernel_ns" (program_trial.h).
  void add_to(nlohmann::json& result) const;

 private:
  [[nodiscard]] Result<> ask(When when, bool with_client);

  const ProgramPairs& pairs_;
  bool said_;
  std::vector<ProgramsTime> before_, after_;  // of each pair's guest
};

}  // namespace vtax::controller
