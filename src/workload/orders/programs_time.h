#pragma once

#include <sys/types.h>

#include <chrono>

namespace vtax {

// The user time of all other processes that /proc shows, which in a guest are the user's programs: of those
// that live, as the kernel tells it in ticks of 10 ms, and exactly (to a microsecond) of those of this
// process's children for which it, or they, have waited.
[[nodiscard]] std::chrono::nanoseconds user_time_of_programs();

// Of one that lives, with its children for which it has waited; 0: it has ended.
[[nodiscard]] std::chrono::nanoseconds user_time_of_process(pid_t process);

}  // namespace vtax
