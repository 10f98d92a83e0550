#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb lab_clean_verb();

}  // namespace vtax
