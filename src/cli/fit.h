#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb fit_verb();

}  // namespace vtax
