#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb compare_verb();

}  // namespace vtax
