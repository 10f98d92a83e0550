#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb advise_verb();

}  // namespace vtax
