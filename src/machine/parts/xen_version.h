#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"
#include "machine/parts/apt.h"

namespace vtax::lab {

// "4.17" of a hypervisor's uncompressed image, by its functions xen_major_version() and xen_minor_version();
// nothing where it has no symbols, or these functions are more than their constants.
[[nodiscard]] std::optional<std::string> version_of_xen(ByteView xen, const std::string& name);

// A toolstack speaks to the hypervisor of its own version alone. `packages` hold the toolstack; `name` is the
// hypervisor's file. Error (usage): both versions are known, and they differ.
[[nodiscard]] Result<> expect_toolstack(ByteView xen, const std::string& name,
                                        const std::vector<Package>& packages);

}  // namespace vtax::lab
