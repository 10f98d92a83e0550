#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "machine/parts/apt.h"

namespace vtax::lab {

// One file of apt's sources (sources.list(5)).
struct SourcesFile {
  bool deb822 = true;  // *.sources; otherwise one source a line, *.list
  std::string text;
};

// The machine's own; empty where it has none.
[[nodiscard]] std::vector<SourcesFile> machine_sources();
// Of /etc/os-release, VERSION_CODENAME: "bookworm"; empty where there is none.
[[nodiscard]] std::string release_codename();

// The machine's sources of binary packages for `suite`, turned to `other_suite`: same addresses, same keys,
// component main, as deb822 stanzas. Empty when no source serves `suite`.
[[nodiscard]] std::string sources_for_other_suite(const std::vector<SourcesFile>& files,
                                                  std::string_view suite, std::string_view other_suite);

// An apt that knows these sources (deb822), with an index of its own below `directory`, which is fetched;
// what they do not have, `base` is asked. Without one nothing counts as installed. Nothing of the machine's
// configuration changes.
[[nodiscard]] Result<Apt> apt_with_sources(const std::string& sources, const std::filesystem::path& directory,
                                           const Apt* base = nullptr);

// An apt that also knows the machine's own release's backports (VERSION_CODENAME of /etc/os-release), with an
// index of their own below `directory`; nothing of the machine's configuration changes.
[[nodiscard]] Result<Apt> apt_with_backports(const std::filesystem::path& directory);

}  // namespace vtax::lab
