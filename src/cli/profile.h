#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb profile_verb();

}  // namespace vtax
