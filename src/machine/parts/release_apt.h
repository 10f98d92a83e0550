#pragma once

#include <filesystem>

#include "core/result.h"
#include "machine/parts/package_cache.h"
#include "subject/stack.h"

namespace vtax::lab {

// Of this computer, where it is one of those that are known; null: it is of another one.
[[nodiscard]] const DebianRelease* own_release();

// apt as it would be on a computer of that release: from the archive that this computer's sources name,
// signed by the same keys, with lists of its own below `directory`, which are fetched; nothing of the
// machine's configuration changes. Error (unavailable): this computer is no Debian, its apt has no source of
// its own release, or the archive cannot be reached.
[[nodiscard]] Result<Apt> apt_of_release(const DebianRelease& release,
                                         const std::filesystem::path& directory);

// A set of the lab's packages as that release has it (a value of the factor `stack`; of others, and of this
// computer's own, what `apt` has). It lies in the cache beside those of other releases; apt is asked where it
// does not.
[[nodiscard]] Result<FetchedSet> fetch_of_release(PackageSet set, std::string_view release,
                                                  PackageCache& cache, const Apt& apt,
                                                  const TellStep& progress, Fetch why);

}  // namespace vtax::lab
