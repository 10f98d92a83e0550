#pragma once

#include <cstdint>
#include <vector>

#include "core/elf_file.h"

namespace vtax::profile {

// Where one function begins and ends, at addresses as the image was linked.
struct UnwindExtent {
  std::uint64_t begin = 0, end = 0;
};

// The functions of an image by its table for unwinding stacks (.eh_frame; Linux Standard Base, "Exception
// Frames"), which stays when its symbols are stripped: where they are, without names. The compiler gives the
// cold part of a function an entry of its own. By begin; hostile bytes give fewer or none.
[[nodiscard]] std::vector<UnwindExtent> unwind_extents(const ElfFile& elf);

}  // namespace vtax::profile
