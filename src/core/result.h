#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace vtax {

// The process's exit codes; scripts rely on them (README, "Exit codes").
enum class ExitCode : int {
  ok = 0,
  regression = 1,    // compare: a difference above the limit
  usage = 2,         // command line, study file or run file is wrong, or the file is damaged
  unavailable = 3,   // this machine lacks something; `vtax doctor` tells what
  trial_failed = 4,  // at least one trial did not end; the others are kept
  io = 5,            // disk full, no permission, what the cache holds is damaged
  interrupted = 130,
};

// An error says what was attempted and on what, why it failed, and what to do next.
struct Error {
  std::string what;  // "cannot read study file first-look.toml"
  std::string why;   // "line 4: unknown key 'platfrom'"
  std::string next;  // "did you mean 'platform'?" (may be empty)
  ExitCode code = ExitCode::usage;

  // One printable paragraph: "what: why\n  next".
  [[nodiscard]] std::string text() const {
    std::string out = what;
    if (!why.empty()) out += ": " + why;
    if (!next.empty()) out += "\n  " + next;
    return out;
  }
};

// Errors are values; exceptions do not cross folders.
template <class T = void>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

// ENOSPC, EACCES and the like with the file they concern; `what` as in Error.
[[nodiscard]] Error system_error(std::string what, int error_number);

}  // namespace vtax
