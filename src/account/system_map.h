#pragma once

#include <string>
#include <string_view>

#include "account/symbol_table.h"
#include "core/result.h"

namespace vtax {

// The symbols of a Linux kernel from its build's System.map, which is nm(1)'s list, a line a symbol:
// "ffffffff81000000 T _text". For kernels that keep no table of their own (CONFIG_KALLSYMS off). Addresses
// are those of a kernel that was not moved (nokaslr). Errors (usage, with line): a line of another form; no
// function in the kernel's half of the addresses, as Debian's own file, which only names a package.
[[nodiscard]] Result<SymbolTable> read_system_map(std::string_view text, const std::string& name);

}  // namespace vtax
