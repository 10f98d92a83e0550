#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb http_files_verb();

}  // namespace vtax
