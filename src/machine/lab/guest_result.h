#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/units.h"
#include "record/trial.h"

namespace vtax::lab {

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
};

[[nodiscard]] Result<GuestResult> read_guest_result(const std::string& json);
[[nodiscard]] Result<GuestResult> guest_result_from(const nlohmann::json& message);

// The agent's `error` message as an Error.
[[nodiscard]] Error read_guest_error(const std::string& json);

}  // namespace vtax::lab
