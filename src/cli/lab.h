#pragma once

#include "cli/verb.h"

namespace vtax {

// `vtax lab VERB`: what concerns the emulated machine itself.
[[nodiscard]] Verb lab_verb();

}  // namespace vtax
