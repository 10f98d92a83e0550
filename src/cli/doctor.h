#pragma once

#include <CLI/CLI.hpp>

#include "core/result.h"

namespace vtax::cli {

// `vtax doctor [--json]`: what this machine can measure and what is missing. Its exit code is ok, or
// unavailable when the lab cannot run here.
void add_doctor(CLI::App& app, ExitCode& outcome);

}  // namespace vtax::cli
