#include "subject/stack.h"

#include <algorithm>

namespace vtax {

const DebianRelease* find_debian_release(std::string_view stack) {
  const auto* found = std::find_if(kDebianReleases.begin(), kDebianReleases.end(),
                                   [&](const DebianRelease& release) { return release.stack == stack; });
  return found == kDebianReleases.end() ? nullptr : found;
}

const DebianRelease* debian_release_of_xen(std::string_view version) {
  const auto* found = std::find_if(kDebianReleases.begin(), kDebianReleases.end(),
                                   [&](const DebianRelease& release) { return release.xen == version; });
  return found == kDebianReleases.end() ? nullptr : found;
}

bool is_stack_name(std::string_view name) {
  constexpr std::size_t kLongest = 40;
  return !name.empty() && name.size() <= kLongest && name.front() != '-' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

}  // namespace vtax
