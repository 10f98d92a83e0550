#include "machine/parts/release_apt.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/files.h"
#include "machine/parts/apt_sources.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;

bool is_debian() {
  const std::string text = "\n" + read_text("/etc/os-release").value_or("");
  return text.find("\nID=debian\n") != std::string::npos;
}

}  // namespace

const DebianRelease* own_release() {
  const std::string codename = release_codename();
  const auto* found =
      std::find_if(kDebianReleases.begin(), kDebianReleases.end(),
                   [&](const DebianRelease& release) { return release.codename == codename; });
  return is_debian() && found != kDebianReleases.end() ? found : nullptr;
}

Result<Apt> apt_of_release(const DebianRelease& release, const fs::path& directory) {
  const std::string what = fmt::format("cannot take packages of {}", release.stack);
  if (!is_debian())
    return fail({what, "this computer is no Debian, and its apt does not know Debian's archive and keys",
                 "choose the stack distribution, or run vtax on Debian", ExitCode::unavailable});
  const std::string own = release_codename();
  const std::vector<SourcesFile> files = machine_sources();
  std::string sources = sources_for_other_suite(files, own, release.codename);
  if (sources.empty())
    return fail({what, fmt::format("apt has no source of '{}' itself to take its archive from", own),
                 fmt::format("name one in /etc/apt/sources.list.d, with Suites: {}", own),
                 ExitCode::unavailable});
  for (const char* more : {"-security", "-updates"})
    sources += sources_for_other_suite(files, own + more, std::string(release.codename) + more);
  auto apt = apt_with_sources(sources, directory);
  if (!apt) apt.error().what = what + ": " + apt.error().what;
  return apt;
}

Result<FetchedSet> fetch_of_release(PackageSet set, std::string_view release, PackageCache& cache,
                                    const Apt& apt, const TellStep& progress, Fetch why) {
  const DebianRelease* other = find_debian_release(release);
  if (other == nullptr || other == own_release()) return cache.fetch(set, apt, progress, why);
  WantedSet wanted = wanted_set(set);
  wanted.told = fmt::format("{} of {}", wanted.name, other->stack);
  wanted.name = fmt::format("{}.{}", other->stack, wanted.name);
  if (why != Fetch::newer)
    if (auto found = cache.find(wanted.name); found && (why == Fetch::name || found->check())) return *found;
  progress(fmt::format("asking the archive for its lists of {}", other->stack));
  const auto theirs = apt_of_release(*other, cache.directory() / "releases" / other->codename);
  if (!theirs) return fail(theirs.error());
  return cache.fetch(wanted, *theirs, progress, why);
}

}  // namespace vtax::lab
