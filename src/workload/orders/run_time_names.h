#pragma once

#include <sys/types.h>

#include <functional>

#include "core/run_time_functions.h"

namespace vtax {

// The functions that a program's processes have made while they ran, as far as they tell them by a file
// /tmp/perf-PID.map in the program's root: those of the `wanted` processes, of all files so many bytes, of
// the youngest process's first, from each one's end. The program may have written whatever it likes: links,
// pipes and lines of another form are left out.
inline constexpr off_t kMostRunTimeNamesRead = 16 << 20;
[[nodiscard]] NewestFunctions run_time_names_of(const std::function<bool(pid_t)>& wanted,
                                                std::size_t most_bytes);

// Whether a process is or was of the program whose first process, its session's leader, is or was `first`.
// One that has ended is in no session: it is that program's where no other one ran beside it (`alone`).
[[nodiscard]] bool is_of_program(pid_t process, pid_t first, bool alone);

}  // namespace vtax
