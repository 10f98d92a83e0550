#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "machine/parts/image_content.h"
#include "machine/parts/lab_image.h"
#include "machine/parts/package_cache.h"
#include "machine/parts/program_tree.h"

// What an image of the lab is built from, before anything is built.
namespace vtax::lab {

// The parts from which an image is built, with what identifies them.
struct GatheredParts {
  FetchedSet kernel_set;
  std::optional<FetchedSet> guest_kernel_set;  // where guests boot another one
  std::optional<FetchedSet> xen_set;
  // Of the user's tree, by their paths in Domain-0's image.
  std::map<std::string, std::filesystem::path> toolstack;
  std::optional<FetchedSet> vmm_set;
  std::optional<FetchedSet> device_model_set;
  std::optional<FetchedSet> compiler_set;
  std::optional<FetchedSet> program_set;
  ProgramTree program;
  std::vector<std::uint8_t> agent;
  std::string agent_sha256;
  std::vector<OwnFile> own_files;
};

// `why`: to name what they are, or to read the packages' files. Errors: a file of the user's that does not
// fit, no package of that name, no static agent.
[[nodiscard]] Result<GatheredParts> gather_parts(PlatformId kind, const Sources& sources, PackageCache& cache,
                                                 const Apt& apt, const TellStep& progress, Fetch why);

[[nodiscard]] std::vector<Package> packages_of(const GatheredParts& parts);

// Equal hashes are equal images.
[[nodiscard]] std::string content_hash(PlatformId kind, const GatheredParts& parts);

// Whether the machine's guests boot a kernel of their own.
[[nodiscard]] bool has_guest_kernel(PlatformId kind, const Sources& sources);

// What those need that boot the driver domain's kernel, natively the system's; and those that boot the
// guests'.
[[nodiscard]] Domain domains_of_kernel(PlatformId kind, const Sources& sources);
[[nodiscard]] Domain domains_of_guest_kernel(PlatformId kind);

}  // namespace vtax::lab
