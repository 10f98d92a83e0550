#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"
#include "machine/lab/cpio.h"
#include "machine/lab/module_list.h"

namespace vtax::lab {

// The initramfs of each kind of domain, as the agent expects to find it (docs/design/lab-image.md):
//   /init          the agent
//   /lab/role      "native", "dom0" or "guest"
//   /lab/modules   paths of modules, one a line, in loading order
// and in Domain-0 the toolstack with its libraries and the guest's kernel and image.
struct Domain {
  std::string role;
  std::vector<std::string> modules;        // wanted; what they need comes with them
  std::vector<std::string> optional = {};  // a kernel of the user's may lack them: what needs them then fails
};

[[nodiscard]] const Domain& native_domain();
[[nodiscard]] const Domain& driver_domain();
[[nodiscard]] const Domain& guest_domain();

// What all domains have.
[[nodiscard]] CpioArchive base_image(const std::string& role, const std::vector<Module>& modules,
                                     const std::vector<std::uint8_t>& agent);

// Xen's toolstack from the unpacked packages: programs, and every library that one of them needs
// (DT_NEEDED, through all levels), at the paths at which they look for each other.
[[nodiscard]] Result<> add_toolstack(CpioArchive& image, const std::filesystem::path& packages);

}  // namespace vtax::lab
