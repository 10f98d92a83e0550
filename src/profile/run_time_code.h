#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/run_time_functions.h"

namespace vtax::profile {

// The functions that a process has made at run time, where it tells them (core/run_time_functions.h), as
// Node.js, Python, .NET and agents of Java's do when they are asked to.
class RunTimeCode {
 public:
  // "" where the process tells nothing of that address. The file is read as the process sees it, again when
  // it has grown, and not oftener than once a second. Only a file of the process's own user or of root's is
  // believed.
  [[nodiscard]] std::string_view at(int process, std::uint64_t address);
  void forget(int process) { told_.erase(process); }

 private:
  struct Told {
    RunTimeFunctions functions;
    std::uint64_t read_bytes = 0;
    std::chrono::steady_clock::time_point looked_at;
  };
  static void read(int process, Told& told);

  std::unordered_map<int, Told> told_;
};

}  // namespace vtax::profile
