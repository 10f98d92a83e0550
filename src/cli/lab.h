#pragma once

#include "cli/verb.h"

namespace vtax {

// `vtax lab fetch|boot|clean`.
[[nodiscard]] Verb lab_verb();

}  // namespace vtax
