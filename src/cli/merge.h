#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb merge_verb();

}  // namespace vtax
