#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/json_fields.h"
#include "core/result.h"
#include "workload/traffic/control_channel.h"

namespace vtax {

// What a system under test obeys besides the traffic's orders, wherever it runs. No value: another order.
//   {"do": "softload", "percent": 1 to 100}: from now on a thread holds this share of the end's CPU, until
//   the end's process ends.
//   {"do": "sample", "hz": samples a second}: from now on a profiler samples the CPUs of this end, likewise.
//   {"do": "fixed-work", "work": FixedWork, "lead_ns", "trail_ns"}: sleeps, does the work between the
//   window's markers, sleeps, and answers {"state": "done", "side": SideReport}.
[[nodiscard]] std::optional<Result<nlohmann::json>> obey_local(const std::string& order,
                                                               const JsonFields& fields,
                                                               ControlChannel& control);

}  // namespace vtax
