#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb prices_verb();

}  // namespace vtax
