#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "core/result.h"

namespace vtax::agent {

// Runs a program (arguments[0]: its absolute path) to its end. Error: it cannot start, fails, or takes
// longer.
[[nodiscard]] Result<> run_program(const std::vector<std::string>& arguments, std::chrono::nanoseconds limit);

// Starts a program that goes on by itself.
[[nodiscard]] Result<pid_t> start_program(const std::vector<std::string>& arguments);

}  // namespace vtax::agent
