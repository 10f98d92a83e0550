#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/shard.h"

// The run file of a run whose file nobody has named, in the folder where vtax was started.
namespace vtax {

// A study's name as a file's: no folder, no hidden file, nothing that a shell or a terminal reads as its own.
// "../evil" -> "evil", "a b" -> "a-b".
[[nodiscard]] std::string file_name_of(std::string_view study_name);

// The first of first-look.vtax, first-look-2.vtax, first-look-3.vtax, ... in `folder` that is not there.
[[nodiscard]] std::filesystem::path free_run_file(const std::filesystem::path& folder,
                                                  std::string_view study_name);

// The last of them that is there, or the first where none is: with what --resume goes on.
[[nodiscard]] std::filesystem::path last_run_file(const std::filesystem::path& folder,
                                                  std::string_view study_name);

// first-look.shard-0-of-4.vtax: the same place every time, so that whoever starts a share again goes on with
// it.
[[nodiscard]] std::filesystem::path shard_file(std::string_view study_name, const Shard& shard);

}  // namespace vtax
