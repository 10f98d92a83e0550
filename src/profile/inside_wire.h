#pragma once

#include <nlohmann/json.hpp>

#include "core/json_fields.h"
#include "core/result.h"
#include "watch/inside_use.h"

// What `vtax top` asks of an agent, as often as it likes, behind the handshake of src/workload/session:
//   -> {"order": "inside"}
//   <- {"state": "inside", "interval_ns", "runnable", "tasks", "steal_ns", "processes": [[number, name,
//   busy_ns, threads]...], "other_processes", "others_ns"}    or {"state": "failed", "why"}
// The interval is the time since the order before, or since the connection began.
namespace vtax::profile {

inline constexpr std::size_t kMostProcessesTold = 64;

[[nodiscard]] nlohmann::json inside_order();
[[nodiscard]] bool is_inside_order(const JsonFields& order);

// The busiest processes; what the others did is added up.
[[nodiscard]] nlohmann::json inside_message(const watch::InsideUse& use);

// What a guest says is hostile: everything is bounded, and all that its processes say that they did by what
// `most_cpus` can do in the interval, which is at most `most_interval`. Error: it cannot be.
[[nodiscard]] Result<watch::InsideUse> read_inside(const JsonFields& message, std::size_t most_cpus,
                                                   std::chrono::nanoseconds most_interval);

}  // namespace vtax::profile
