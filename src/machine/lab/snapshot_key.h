#pragma once

#include <string>
#include <vector>

#include "machine/lab/machine_spec.h"

namespace vtax::lab {

// The machine's command line, in which files that the image's hash or the QEMU package's stands for are named
// without the place where the cache lies.
[[nodiscard]] std::vector<std::string> arguments_by_content(const MachineSpec& spec);

// The key: SHA-256 over the image's hash, QEMU's version and arguments_by_content().
[[nodiscard]] std::string snapshot_key(const MachineSpec& spec, const std::string& image_hash);

}  // namespace vtax::lab
