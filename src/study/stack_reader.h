#pragma once

#include "study/toml_plus_plus.h"

#include "core/result.h"
#include "study/study_reader.h"
#include "subject/stack.h"

namespace vtax {

// The tables [stack.NAME] of a study file. Errors (usage, with line and column): a name that is a release's,
// an unknown key, a part that is no text, modules or symbols without their kernel, a table that names no
// file.
[[nodiscard]] Result<OwnStacks> read_stacks(const toml::table& root, const StudyReader& reader);

}  // namespace vtax
