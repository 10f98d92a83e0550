#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb workload_verb();

}  // namespace vtax
