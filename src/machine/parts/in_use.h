#pragma once

#include <filesystem>
#include <memory>

#include "core/descriptor.h"

namespace vtax::lab {

// Folders of the cache that running programs work with: a shared lock (flock) of the folder itself, which the
// kernel drops whatever ends the process. Who removes a folder asks for the exclusive one and does not wait.
// Where other computers may see the folder (lock_reach.h), one that was used within a week counts as in use.
using InUse = std::shared_ptr<const Descriptor>;

// Marks the folder as used now, and as in use until the last copy of the mark goes. Null when there is no
// such folder, or when it was removed meanwhile.
[[nodiscard]] InUse use_folder(const std::filesystem::path& folder);

// When it was last marked or, if never, made.
[[nodiscard]] std::filesystem::file_time_type last_used(const std::filesystem::path& folder);

// Removes a folder that nobody uses, this process included; false when it stays. It loses its name first: a
// removal that is broken off leaves no half folder under it, but one that remove_leftovers() removes.
bool remove_unless_used(const std::filesystem::path& folder);
void remove_leftovers(const std::filesystem::path& parent);

}  // namespace vtax::lab
