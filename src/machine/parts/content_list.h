#pragma once

#include <filesystem>
#include <string>

#include "core/result.h"

namespace vtax::lab {

// What a folder of the cache holds, in its file content.list, which is written when the folder is complete:
// the hash, length and mode of every file, where every link points to, and what the folder was made from. A
// folder without a list is not complete.
inline constexpr const char* kContentListName = "content.list";

// `made_from`: one line that names everything that decides the content, for example a hash.
[[nodiscard]] Result<> write_content_list(const std::filesystem::path& folder, const std::string& made_from);

// Reads every file. Error (io): the first difference: a file that is changed, missing or new, a list that is
// damaged or of a folder that was made from something else.
[[nodiscard]] Result<> check_content(const std::filesystem::path& folder, const std::string& made_from);

// Looks no further.
[[nodiscard]] bool has_content_list(const std::filesystem::path& folder);

}  // namespace vtax::lab
