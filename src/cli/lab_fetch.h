#pragma once

#include "cli/verb.h"

namespace vtax {

// A verb below `lab`.
[[nodiscard]] Verb lab_fetch_verb();

}  // namespace vtax
