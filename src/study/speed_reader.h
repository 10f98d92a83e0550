#pragma once

#include "study/speed.h"
#include "study/study_reader.h"

namespace vtax {

// A study's table [speed], checked; nothing where there is none. Errors as StudyReader's.
[[nodiscard]] Result<std::optional<Speed>> read_speed(const toml::table& root, const StudyReader& reader);

}  // namespace vtax
