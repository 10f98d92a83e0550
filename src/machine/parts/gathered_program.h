#pragma once

#include <optional>

#include "core/result.h"
#include "machine/parts/image_content.h"
#include "machine/parts/lab_image.h"
#include "machine/parts/package_cache.h"
#include "machine/parts/program_tree.h"

namespace vtax::lab {

// The user's program from where it lies: a folder or an image of a container, over packages of the cache.
struct GatheredProgram {
  ProgramTree tree;
  std::optional<FetchedSet> set;    // of its packages, if any
  std::optional<OwnFile> own = {};  // the user's files, if any
};

// `why`: to name what it is, or to read its files. Errors: `files` cannot be used (usage), or no package of
// that name.
[[nodiscard]] Result<GatheredProgram> gather_program(const WorkloadFiles& workload, PackageCache& cache,
                                                     const Apt& apt, const TellStep& progress, Fetch why);

}  // namespace vtax::lab
