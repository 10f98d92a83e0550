#pragma once

#include <string>
#include <string_view>

// Costs as people read them: instructions as they are counted, CPU time in the unit that it has that size of.
// For programs (JSON, CSV, OpenMetrics) costs stay instructions and nanoseconds.
namespace vtax {

// "16,850" instructions; of nanoseconds "345 ns", "12.3 us", "2.61 ms", "1.20 s".
[[nodiscard]] std::string cost_text(double value, bool is_in_time);

// "16,850 instructions", "12.3 us of CPU time".
[[nodiscard]] std::string cost_with_unit(double value, bool is_in_time);

// One unit for all figures of a table or an axis, of which `greatest` is the greatest.
struct CostUnit {
  double size = 1;        // so many instructions or nanoseconds are one of it
  std::string_view name;  // "instructions", "us of CPU time"

  bool is_time = false;

  // Of time three figures, of what is below one too: "0.0312".
  [[nodiscard]] std::string figure(double value) const;
};
[[nodiscard]] CostUnit cost_unit(double greatest, bool is_in_time);

}  // namespace vtax
