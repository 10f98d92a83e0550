#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "study/study.h"

namespace vtax {

// The studies that come with vtax (folder studies/), sorted by name.
[[nodiscard]] std::vector<std::string> built_in_studies();

// What `vtax run STUDY` names: a file when there is one at that path or when it looks like a path (a '/' or
// an ending ".toml"), otherwise a study that comes with vtax. Errors: as read_study, or the nearest name.
[[nodiscard]] Result<Study> find_study(std::string_view path_or_name);

}  // namespace vtax
