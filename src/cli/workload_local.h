#pragma once

#include "cli/verb.h"

namespace vtax {

// The workloads that need no partner: CPU, memory, disk and compiler of one machine.
[[nodiscard]] Verb softload_verb();
[[nodiscard]] Verb memory_verb();
[[nodiscard]] Verb linpack_verb();
[[nodiscard]] Verb disk_verb();
[[nodiscard]] Verb compile_verb();

}  // namespace vtax
