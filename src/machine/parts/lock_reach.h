#pragma once

#include <filesystem>
#include <string>

// Whom the cache's locks reach, where several computers see one cache. A flock excludes all processes of one
// computer that see a file through one mount. Whether it reaches other computers is for the storage to say,
// and mostly it does not: NFS knows no locks of folders (nfs(5), flock(2)), a FUSE file system none at all
// unless it hands them on. So nothing of another computer's may be taken for dead because its lock is free.
namespace vtax::lab {

// This computer since it booted, as part of a file's name: "name-1a2b3c4d".
[[nodiscard]] std::string node_name();

// NAME@NODE, for work in progress.
[[nodiscard]] std::string with_node(const std::string& name);

// Whether work in progress of this name, on which a lock of this computer is held now, has no owner: it is
// this computer's or nobody's, or it is another's that has not touched it for a day.
[[nodiscard]] bool is_abandoned(const std::filesystem::path& work);

// Whether other computers may see this folder: it is on a network's or a FUSE file system.
[[nodiscard]] bool may_be_shared(const std::filesystem::path& folder);

}  // namespace vtax::lab
