#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "record/trial.h"

// A schedule as the run file keeps it, JSON, every column with one value a stay:
//   {"vcpus": [{"domain": "guest1", "number": 0}, ...], "cpu": [2, ...], "vcpu": [0, ...],
//    "begin_ns": [...], "end_ns": [...], "woke_ns": [null, ...], "left_out": 0}
// `vtax report --format json` hands it on as it is.
namespace vtax {

inline constexpr std::size_t kMostStays = 1U << 16;

[[nodiscard]] std::string schedule_text(const Schedule& schedule);

// Nothing when the text is not of this form. Whether its times fit each other is record/trial_check.h's to
// say.
[[nodiscard]] std::optional<Schedule> read_schedule(std::string_view text);

}  // namespace vtax
