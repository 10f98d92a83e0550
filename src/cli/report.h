#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb report_verb();

}  // namespace vtax
