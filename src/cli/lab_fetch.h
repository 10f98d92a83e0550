#pragma once

#include <CLI/CLI.hpp>

#include "core/result.h"

namespace vtax::cli {

// `vtax lab fetch [--refresh]`, a verb below `lab`.
void add_lab_fetch(CLI::App& lab, ExitCode& outcome);

}  // namespace vtax::cli
