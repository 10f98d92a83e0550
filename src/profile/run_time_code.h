#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

namespace vtax::profile {

// The functions that a process has made at run time, where it tells them as perf(1) reads them: a file
// /tmp/perf-PID.map, which Node.js, Python, .NET and agents of Java's write when they are asked to. A later
// line is right where two are of the same place.
class RunTimeCode {
 public:
  // "" where the process tells nothing of that address. The file is read as the process sees it, again when
  // it has grown, and not oftener than once a second. Only a file of the process's own user or of root's is
  // believed.
  [[nodiscard]] std::string_view at(int process, std::uint64_t address);
  void forget(int process) { told_.erase(process); }

  struct Function {
    std::uint64_t end = 0;
    std::string name;
  };
  using Functions = std::map<std::uint64_t, Function>;  // by begin
  // Lines "BEGIN SIZE NAME", hexadecimal; others are left out.
  static void parse(std::string_view text, Functions& into);

 private:
  struct Told {
    Functions functions;
    std::uint64_t read_bytes = 0;
    std::chrono::steady_clock::time_point looked_at;
  };
  static void read(int process, Told& told);

  std::unordered_map<int, Told> told_;
};

}  // namespace vtax::profile
