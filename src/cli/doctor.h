#pragma once

#include "cli/verb.h"

namespace vtax {

// Its exit code is ok, or unavailable when the lab cannot run here.
[[nodiscard]] Verb doctor_verb();

}  // namespace vtax
