#include "account/program_symbols.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>

#include "account/elf_symbols.h"

namespace vtax {
namespace {

std::string readable(const std::string& name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
  return status == 0 && text ? std::string(text.get()) : name;
}

}  // namespace

Result<SymbolTable> read_program_symbols(ByteView program, const std::string& name) {
  auto symbols = read_elf_symbols(program, name);
  if (!symbols) return fail(symbols.error());
  std::vector<Symbol> functions;
  for (const ElfSymbol& symbol : *symbols)
    if (symbol.is_function)
      functions.push_back({GuestAddress(symbol.value), readable(symbol.name), symbol.type});
  return SymbolTable(std::move(functions));
}

}  // namespace vtax
