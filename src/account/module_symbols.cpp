#include "account/module_symbols.h"

#include "account/elf_symbols.h"

namespace vtax {

Result<SymbolTable> read_module_symbols(ByteView module, const std::string& name,
                                        const std::map<std::string, GuestAddress>& sections) {
  const auto elf = read_elf_symbols(module, name);
  if (!elf) return fail(elf.error());
  std::vector<Symbol> symbols;
  for (const ElfSymbol& symbol : *elf) {
    const auto section = sections.find(symbol.section);
    if (!symbol.is_function || section == sections.end()) continue;
    symbols.push_back({GuestAddress(section->second.value + symbol.value), symbol.name, symbol.type});
  }
  return SymbolTable(std::move(symbols));
}

}  // namespace vtax
