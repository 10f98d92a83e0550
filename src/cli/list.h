#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb list_verb();

}  // namespace vtax
