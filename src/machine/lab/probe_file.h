#pragma once

#include <filesystem>

#include "core/result.h"
#include "machine/lab/qemu_finder.h"

namespace vtax::lab {

// The probe for this QEMU: vtax-probe-v1.so (plugin interface 1: QEMU 8.2) or vtax-probe-v4.so (QEMU 10 and
// later), beside vtax itself or in ../lib/vtax. Error: unavailable.
[[nodiscard]] Result<std::filesystem::path> find_probe(const Qemu& qemu);

}  // namespace vtax::lab
