#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/json_fields.h"
#include "core/result.h"

// Other people's load generators in the lab (the plan's workload `programs`): a server on CPU 0, its client
// on CPU 2, over `lo`; the window is the client's whole life. The ledger's rows of the two CPUs tell the
// sides apart. Not a workload of the catalogue; bench/lab_peers asks for it.
namespace vtax::agent {

struct Programs {
  std::vector<std::string> server;  // program and arguments; empty: none
  std::vector<std::string> client;
  bool marks = true;  // the window is the client's whole life; otherwise the client marks one itself
};

// Fields of the plan: "client" and, where there is one, "server": arrays of texts, the first a path; "marks",
// which may be left out.
[[nodiscard]] Result<Programs> programs_from(const JsonFields& plan);

// The result's "output" is what the client printed, at most 256 KiB. Error: one of them cannot start, the
// client fails or outlasts the limit; its last words are in the error.
[[nodiscard]] Result<nlohmann::json> run_programs(const Programs& programs, std::chrono::nanoseconds limit);

}  // namespace vtax::agent
