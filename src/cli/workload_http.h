#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb http_verb();

}  // namespace vtax
