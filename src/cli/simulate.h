#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb simulate_verb();

}  // namespace vtax
