#pragma once

#include <cstdint>
#include <vector>

#include "core/bytes.h"

namespace vtax::lab {

// A kernel module (ELF64, relocatable) without what debuggers alone read: of a build with debugging
// information that is nine tenths of the file, which would fill the memory of each machine and guest.
// Sections keep their numbers, which symbols and relocations go by; those of debugging information become
// empty ones, which the kernel passes over. What has none, is signed (the signature is over the whole file)
// or is no such ELF file comes back as it is. The file may be anything.
[[nodiscard]] std::vector<std::uint8_t> without_debug_information(std::vector<std::uint8_t> module);

}  // namespace vtax::lab
