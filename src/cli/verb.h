#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vtax {

// One verb of the command line. Help is made from this and from the options alone, so that it cannot drift.
struct Verb {
  std::string_view name;
  std::string_view summary;  // one line
  std::string_view example;  // whole command lines

  // Runs the verb with what the options have read.
  using Action = std::function<Result<ExitCode>()>;

  // Adds the verb's options to its subcommand.
  Action (*options)(CLI::App& app);

  // It reads, works out and writes, and has nothing else to end: a signal ends it at once.
  bool ends_at_once = false;
};

// For a verb that is a group: adds each of `verbs` as a subcommand, of which one is required.
[[nodiscard]] Verb::Action add_group(CLI::App& app, const std::vector<Verb>& verbs);

// Runs the verb that the command line names; the process's exit code, that of an error where what was printed
// could not be written. Errors and usage go to standard error.
[[nodiscard]] int run_command_line(const std::vector<Verb>& verbs, int argc, const char* const* argv);

}  // namespace vtax
