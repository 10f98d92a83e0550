#pragma once

#include <ostream>

#include "query/profile.h"

namespace vtax {

// For profiler.firefox.com ("Load a profile from file"; it stays in the browser): the processed profile
// format, version 70 of github.com/firefox-devtools/profiler, docs-developer/CHANGELOG-formats.md. A thread
// for each domain, a sample for each function, its weight the exact instructions; layer and image stand above
// the function. The format needs times: a sample's is its place in the profile in milliseconds and means
// nothing.
void write_firefox_profile(const Profile& profile, std::ostream& out);

}  // namespace vtax
