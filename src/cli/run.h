#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb run_verb();

}  // namespace vtax
