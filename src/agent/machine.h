#pragma once

#include "core/result.h"

namespace vtax::agent {

// A whole lab machine's life, from booted to ready to be switched off: prepare, `ready`, snapshot, plan,
// trial, `result`. An error goes to the caller.
[[nodiscard]] Result<> run_native_machine();

// The message `error`, if the host side can be reached at all.
void report_error(const Error& error);

}  // namespace vtax::agent
