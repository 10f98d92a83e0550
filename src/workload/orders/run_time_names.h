#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

namespace vtax {

inline constexpr std::size_t kMostRunTimeBytes = 256 << 10;

// The functions that a program's processes have made while they ran, as far as they tell them by a file
// /tmp/perf-PID.map in the program's root: lines of core/run_time_functions.h, at most kMostRunTimeBytes.
// `wanted`: the processes. Of a longer file its end is read, which tells what was compiled last. The program
// may have written whatever it likes: links, pipes and lines of another form are left out.
[[nodiscard]] std::string run_time_names_of(const std::function<bool(pid_t)>& wanted);

}  // namespace vtax
