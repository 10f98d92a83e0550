#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/json_fields.h"
#include "core/result.h"
#include "workload/traffic/control_channel.h"

namespace vtax {

inline constexpr std::size_t kKeptOutputBytes = 16 << 10;

// Orders of either end for the workload `program`. No value: another order.
//   {"do": "program-prepare", "command", "user", "limit_ns"}: runs it to its end -> {"state": "done"}. What
//     follows works in its folder, until the server is ended or another one is prepared.
//   {"do": "program-serve", "command", "user", "ready", "limit_ns"}: starts the server -> {"state": "done"}
//     when it is ready. One at a time.
//   {"do": "program-run", "command", "user", "operations", "limit_ns", "window", "marks", "tells", "traced",
//   "lead_ns", "trail_ns"}: sleeps, runs the client (with `window` between the lab's markers, which are where
//   it marks its window with `marks`), sleeps. With `tells` it says {"state": "begun"} and {"state": "ended"}
//   at those marks, and the client waits until it is answered {"do": "go-on"}, before which "program-time"
//   may be asked; what it waits is no part of its limit ->
//     {"state": "done", "side": SideReport, "output": its first kept_output_bytes, "mapped": [...] if traced,
//     "client": {"process": this one, "user_ns", "system_ns": of the client and all for whom it waited}}
//   {"do": "program-time"} -> {"state": "done", "user_ns", "own_ns", "kernel_ns": so far, of this machine
//     (programs_time.h)}
//   {"do": "program-mapped"} -> {"state": "done", "mapped": [{"file", "called", "begin", "end", "offset"},
//   ...]} of the
//     server and its children
//   {"do": "program-run-time", "whose": "client" (that ran last) or "server", "alone": no other program ran
//   on this kernel, "most_bytes"} -> {"state": "done", "functions": lines of core/run_time_functions.h,
//     "left_out": how many functions they do not name for want of room}
//   {"do": "program-end"}: ends the server. Error: it had ended by itself.
[[nodiscard]] std::optional<Result<nlohmann::json>> obey_program(const std::string& order,
                                                                 const JsonFields& fields,
                                                                 ControlChannel& control);

}  // namespace vtax
