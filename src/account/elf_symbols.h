#pragma once

#include <string>
#include <vector>

#include "account/symbol_table.h"
#include "core/bytes.h"
#include "core/result.h"

namespace vtax {

// One defined symbol of an ELF file's .symtab.
struct ElfSymbol {
  std::string name;
  std::string section;      // "" for an absolute one
  std::uint64_t value = 0;  // an address in an executable, an offset into the section in a relocatable file
  char type = '?';          // as nm prints it
  bool is_function = false;
};

// Empty when the file has no .symtab; an error when it is no ELF file for x86-64 or is damaged.
[[nodiscard]] Result<std::vector<ElfSymbol>> read_elf_symbols(ByteView file, const std::string& name);

}  // namespace vtax
