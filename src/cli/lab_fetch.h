#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb lab_fetch_verb();

}  // namespace vtax
