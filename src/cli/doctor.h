#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb doctor_verb();

}  // namespace vtax
