#pragma once

#include "core/result.h"

namespace vtax {

// SIGINT, SIGTERM and SIGHUP ask the running verb to stop: it ends what it started, keeps finished trials
// and returns ExitCode::interrupted. A second signal ends the process at once (children die with it).

// Installs the handlers; call once, early in main.
void catch_interruptions();

// Of a verb that reads, works out and writes, and has nothing else to end: from now on the first signal ends
// the process at once, with ExitCode::interrupted. Unfinished files (core/unfinished_file.h) go with it.
void end_at_interruptions();

[[nodiscard]] bool interrupted();

// Readable once interrupted: for poll(2) beside other descriptors.
[[nodiscard]] int interruption_fd();

[[nodiscard]] Error interruption_error();

}  // namespace vtax
