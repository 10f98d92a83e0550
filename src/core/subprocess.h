#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"

namespace vtax {

// A program to run to its end: no shell, standard input empty.
struct Command {
  std::vector<std::string> arguments;         // the first is the program, looked up in PATH
  std::vector<std::string> environment = {};  // "NAME=value", replaces or joins this process's own
  std::filesystem::path directory = {};       // to run in; empty: this process's own
  std::chrono::milliseconds time_limit = std::chrono::minutes(1);
  std::size_t output_limit = std::size_t{64} << 20;  // bytes kept of each stream; more is read and dropped
  // It goes on when the calling thread ends. Programs that it leaves in the background are waited for by
  // nobody: its output is gathered in memory, and read when it has ended itself.
  bool outlives = false;
};

struct Finished {
  int exit_code = 0;  // 128 + signal when one ended it
  bool timed_out = false;
  std::string out;
  std::string err;

  [[nodiscard]] bool ok() const { return exit_code == 0 && !timed_out; }
};

// Runs it and waits. The program has a process group of its own, which is killed when the time limit passes;
// it dies with the calling thread, however that ends, unless it is to outlive it. A program that ends with an
// error is a result; one that cannot be started is an error (ExitCode::unavailable when it does not exist).
[[nodiscard]] Result<Finished> run_command(const Command& command);

// The last `lines` non-empty lines, for error messages.
[[nodiscard]] std::string last_lines(const std::string& text, std::size_t lines);

}  // namespace vtax
