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

// Of such lines, which are added newest first, those whose place no newer one has, as far as they fit into so
// many bytes of a JSON text without other characters than ASCII.
class NewestFunctions {
 public:
  explicit NewestFunctions(std::size_t most_bytes) : room_(most_bytes) {}

  void add_older(std::string_view line);

  [[nodiscard]] const std::string& lines() const { return lines_; }   // of at most `most_bytes`
  [[nodiscard]] std::uint64_t left_out() const { return left_out_; }  // functions that do not fit

 private:
  // Whether nothing newer was there.
  bool cover(std::uint64_t begin, std::uint64_t end);

  std::size_t room_;
  bool is_full_ = false;
  std::string lines_;
  std::uint64_t left_out_ = 0;
  std::map<std::uint64_t, std::uint64_t> covered_;  // the ends of what was added, by their begins
};

}  // namespace vtax
