#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "core/result.h"

namespace vtax::agent {

// Runs a program (arguments[0]: its absolute path) to its end. Error: it cannot start, fails, or takes
// longer; it has the last lines of what the program said.
[[nodiscard]] Result<> run_program(const std::vector<std::string>& arguments, std::chrono::nanoseconds limit);

// The same, for what it said.
[[nodiscard]] Result<std::string> said_by_program(const std::vector<std::string>& arguments,
                                                  std::chrono::nanoseconds limit);

// Starts a program that goes on by itself. `output`: the file for what it prints; the console without.
[[nodiscard]] Result<pid_t> start_program(const std::vector<std::string>& arguments,
                                          const char* output = nullptr);

// The end of a started program, as waitpid(2) tells it. Error: it takes longer; it is not ended then.
[[nodiscard]] Result<int> wait_for_program(pid_t process, const std::string& name,
                                           std::chrono::nanoseconds limit);

}  // namespace vtax::agent
