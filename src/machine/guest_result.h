#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/run_time_functions.h"
#include "core/units.h"
#include "record/trial.h"

namespace vtax::lab {

// Code of the user's program as it lay in memory; the file by its path below the program's root.
struct ProgramCode {
  std::string domain;      // empty: the driver domain or host
  std::optional<int> cpu;  // nothing: any of the domain's
  std::string file;
  std::string called;  // the name by which it was started, where that is another; or empty
  GuestAddress begin, end;
  std::uint64_t offset = 0;
};

// Functions that it made while it ran.
struct RunTimeCode {
  std::string domain;      // likewise
  std::optional<int> cpu;  // likewise
  RunTimeFunctions functions;
  std::uint64_t left_out = 0;  // how many more there are
};

// The agent's `result` message, checked. A guest is not trusted: unknown fields are ignored, missing or wrong
// ones are an error, names are bounded and printable.
struct GuestResult {
  std::uint64_t window_virtual_ns = 0;
  Work work;
  std::vector<DeviceCount> devices;
  std::vector<GuestWork> guests;
  std::optional<std::uint64_t> tsc_ticks;  // of the self-check: from before the window to after it
  // Load addresses by (domain, module) and section; of a machine's first result.
  std::map<std::pair<std::string, std::string>, std::map<std::string, GuestAddress>> modules;
  std::vector<ProgramCode> program;  // likewise
  std::vector<RunTimeCode> run_time;
  std::string output;  // what the first client printed; printable
};

[[nodiscard]] Result<GuestResult> read_guest_result(const std::string& json);
[[nodiscard]] Result<GuestResult> guest_result_from(const nlohmann::json& message);

// The agent's `error` message as an Error.
[[nodiscard]] Error read_guest_error(const std::string& json);

}  // namespace vtax::lab
