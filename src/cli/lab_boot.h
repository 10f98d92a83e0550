#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb lab_boot_verb();

}  // namespace vtax
