#pragma once

#include "cli/verb.h"

namespace vtax {

[[nodiscard]] Verb http_server_verb();

}  // namespace vtax
