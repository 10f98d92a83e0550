#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb init_verb();

}  // namespace vtax
