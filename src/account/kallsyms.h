#pragma once

#include <string>

#include "account/symbol_table.h"
#include "core/bytes.h"
#include "core/result.h"

namespace vtax {

// The symbols of a Linux kernel from its uncompressed image (vmlinux, ELF64 x86-64), as the kernel shows them
// in /proc/kallsyms when it was not moved (nokaslr). A developer's image has an ELF symbol table; a
// distribution's is stripped and keeps only the kernel's own compressed table (CONFIG_KALLSYMS,
// CONFIG_KALLSYMS_BASE_RELATIVE; scripts/kallsyms.c), whose addresses are
//   offsets        u32 for each symbol
//   relative_base  u64
// before num_syms until Linux 6.3, behind token_index since 6.4. With CONFIG_KALLSYMS_ABSOLUTE_PERCPU (x86-64
// until 6.14) a negative offset means relative_base - 1 - offset and others are absolute; without it offsets
// are distances. Since 7.0 there is no relative_base, and each entry is a distance from itself, and tables
// are aligned to 4 bytes alone (7.2). `name` is the file's name, for errors. The image may be anything:
// hostile, truncated, foreign.
[[nodiscard]] Result<SymbolTable> read_kallsyms(ByteView vmlinux, const std::string& name);

}  // namespace vtax
