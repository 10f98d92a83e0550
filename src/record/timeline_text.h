#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "record/trial.h"

// A timeline as the run file keeps it, JSON:
//   {"end_ns": [N, ...], "work": [{"guest": "guest1", "bytes": [...], "transactions": [...]}],
//    "rows": [{"cpu": 2, "domain": "guest1", "layer": "kernel", "part": "", "instructions": [...]}]}
// Of the real host rows have "cpu_ns" in place of instructions, "kernel+program" is a layer, and there is
//    "devices": [{"side": "system", "domain": "host", "device": "lo", "received_bytes": [...],
//                 "sent_bytes": [...], "received_packets": [...], "sent_packets": [...],
//                 "dropped_packets": [...]}]
// `vtax report --format json` hands it on as it is.
namespace vtax {

inline constexpr std::size_t kMostSlices = 1024;

[[nodiscard]] std::string timeline_text(const Timeline& timeline);

// Nothing when the text is not of this form. Whether it adds up is record/trial_check.h's to say.
[[nodiscard]] std::optional<Timeline> read_timeline(std::string_view text);

}  // namespace vtax
