#pragma once

#include <ostream>
#include <string>

#include "query/profile.h"

namespace vtax {

// For `go tool pprof` and whatever else reads its format: a gzipped message `perftools.profiles.Profile` of
// github.com/google/pprof/proto/profile.proto. One sample a function, its value the count; above
// the function stand its callers where they are known, its image, layer and domain as callers, so that a
// flame graph is grouped by who executed. The image is also the mapping's file. Times are left out: a window
// of an emulated machine has no date.
void write_pprof(const Profile& profile, std::ostream& out);

// The message before it is compressed.
[[nodiscard]] std::string pprof_message(const Profile& profile);

}  // namespace vtax
