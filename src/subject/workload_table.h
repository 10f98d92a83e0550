#pragma once

#include <string_view>
#include <vector>

#include "subject/factor.h"

namespace vtax {

// What runs in the systems under test, with its own factors.
struct WorkloadKind {
  WorkloadId id = WorkloadId::tcp_stream;
  std::string_view name;
  std::string_view summary;
  std::vector<Factor> factors;
  bool has_traffic = true;
  bool has_disk = false;      // which the first window leaves as it was not
  bool has_compiler = false;  // in every system's image
  bool has_program = false;   // likewise, the user's own: subject/program_text.h

  // The systems have files of the workload's own: images of their own, and guests with more memory.
  [[nodiscard]] bool has_files() const { return has_compiler || has_program; }
};

[[nodiscard]] const std::vector<WorkloadKind>& workloads();

[[nodiscard]] const WorkloadKind& workload_of(WorkloadId id);

// The factor that says how much of its work a window is: "bytes", "transactions", "rounds", ...; "" of a
// program, whose command says it.
[[nodiscard]] std::string_view amount_of(WorkloadId id);

// Null where there is none of this name.
[[nodiscard]] const WorkloadKind* find_workload(std::string_view name);

}  // namespace vtax
