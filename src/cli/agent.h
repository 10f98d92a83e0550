#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb agent_verb();

}  // namespace vtax
