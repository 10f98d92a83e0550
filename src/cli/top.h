#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb top_verb();

}  // namespace vtax
