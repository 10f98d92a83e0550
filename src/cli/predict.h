#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb predict_verb();

}  // namespace vtax
