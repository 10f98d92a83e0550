#pragma once

#include <map>
#include <string>

#include "account/symbol_table.h"
#include "core/bytes.h"
#include "core/result.h"

namespace vtax {

// The functions of a loadable kernel module (an uncompressed .ko, ELF64 relocatable). `sections` maps a
// section's name (".text") to the address at which the kernel loaded it (/sys/module/NAME/sections);
// functions in other sections are left out.
[[nodiscard]] Result<SymbolTable> read_module_symbols(ByteView module, const std::string& name,
                                                      const std::map<std::string, GuestAddress>& sections);

}  // namespace vtax
