#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/embedded_file.h"

namespace vtax {

// Files that come with vtax, known by their names without the ending ".toml".
inline constexpr std::string_view kTomlEnding = ".toml";

[[nodiscard]] std::vector<std::string> built_in_names(const std::vector<EmbeddedFile>& files);  // sorted

// Null where there is none of this name.
[[nodiscard]] const EmbeddedFile* find_built_in(const std::vector<EmbeddedFile>& files,
                                                std::string_view name);

// What to do after a name that is not there: the nearest, or all of them.
[[nodiscard]] std::string built_in_suggestion(const std::vector<EmbeddedFile>& files, std::string_view name);

}  // namespace vtax
