#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vtax {

// The claims that come with vtax (folder studies/published/), sorted by name.
[[nodiscard]] std::vector<std::string> built_in_published();

// The text of what a study's key `published` names: a file when it ends in ".toml", otherwise claims that
// come with vtax. It is checked (parse_published), so that a run does not end with claims that nobody can
// read.
[[nodiscard]] Result<std::string> find_published(std::string_view path_or_name);

}  // namespace vtax
