#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb explain_verb();

}  // namespace vtax
