#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "core/result.h"
#include "workload/measure/repeat.h"

namespace vtax {

// All that one `vtax workload` command has measured (docs/workload-schema.md).
struct Outcome {
  std::string workload;
  nlohmann::json options = nlohmann::json::object();
  std::chrono::system_clock::time_point started = std::chrono::system_clock::now();
  std::vector<Repeat> repeats;  // at least one unless it failed, all with the same sides
  Summary summary;
  std::vector<std::string> warnings;  // what makes the figures less than they seem; each a sentence
  bool intervals_shown = false;       // they were, as they ended: the text does not repeat them
  bool interrupted = false;           // the user ended it; the figures are of what was done by then
  std::optional<Error> error;         // it failed: there are no figures

  [[nodiscard]] nlohmann::json to_json() const;
};

// For people, 80 columns: each repeat's metrics with their spread, the latency's percentiles, CPU and service
// demand of both sides, failures, and the warnings last, so that nobody misses them.
void write_text(const Outcome& outcome, std::ostream& out);

// "       0.0 to   1.0 s  9.41 Gb/s": what was done in one interval, as the first metric says it; "" of none.
[[nodiscard]] std::string interval_line(const IntervalReport& interval);

// "9.41 Gb/s", "1.2 MB/s", "83.1 us", "1,234 /s": a value in its unit, readable. Bits and bytes by thousands.
[[nodiscard]] std::string readable_metric(double value, std::string_view unit);

}  // namespace vtax
