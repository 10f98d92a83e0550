#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb lab_shell_verb();

}  // namespace vtax
