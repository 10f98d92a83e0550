#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace vtax {

// Functions that a program has made while it ran, by where their code begins, without overlap.
struct RunTimeFunction {
  std::uint64_t end = 0;
  std::string name;
};
using RunTimeFunctions = std::map<std::uint64_t, RunTimeFunction>;

// As programs tell them to perf(1), in a file /tmp/perf-PID.map: lines "BEGIN SIZE NAME", hexadecimal; others
// are left out. A later line is right where two are of the same place. Names are bounded and printable.
void read_run_time_functions(std::string_view text, RunTimeFunctions& into);

// As such lines, as far as whole ones fit into `most_bytes`.
[[nodiscard]] std::string run_time_lines(const RunTimeFunctions& functions, std::size_t most_bytes);

}  // namespace vtax
