#pragma once

#include <cstdint>
#include <vector>

#include "core/elf_file.h"

namespace vtax {

// A function that a file's unwinding table (.eh_frame) knows, without a name, by the file's own addresses.
struct UnwindFunction {
  std::uint64_t begin = 0, bytes = 0;
};

// What compilers say of each of their functions for C++ exceptions and debuggers' backtraces, in stripped
// files too; ascending, of those that begin together the longest. Of a file without sections too. Empty
// without the table, and where it is damaged what stands before the damage. As the System V ABI for x86-64
// has it (and so LSB 5.0, "Exception Frames"), with addresses relative to where they stand or absolute, which
// are what linkers write.
[[nodiscard]] std::vector<UnwindFunction> unwind_functions(const ElfFile& elf);

}  // namespace vtax
