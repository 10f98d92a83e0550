#include "account/program_symbols.h"

#include "account/elf_symbols.h"
#include "core/function_name.h"

namespace vtax {

Result<SymbolTable> read_program_symbols(ByteView program, const std::string& name) {
  auto symbols = read_elf_symbols(program, name);
  if (!symbols) return fail(symbols.error());
  std::vector<Symbol> functions;
  for (const ElfSymbol& symbol : *symbols)
    if (symbol.is_function)
      functions.push_back({GuestAddress(symbol.value), readable_function_name(symbol.name), symbol.type});
  return SymbolTable(std::move(functions));
}

}  // namespace vtax
