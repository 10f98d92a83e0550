#include "profile/kernel_names.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "core/files.h"

namespace vtax::profile {

KernelNames KernelNames::read() {
  const auto text = read_text("/proc/kallsyms", std::uint64_t{256} << 20);
  return text ? parse(*text) : KernelNames();
}

KernelNames KernelNames::parse(std::string_view text) {
  KernelNames names;
  std::vector<Symbol> symbols;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    std::uint64_t address = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), address, 16);
    const auto at = static_cast<std::size_t>(end - line.data());
    if (error != std::errc() || address == 0 || line.size() < at + 4) continue;
    Symbol symbol{GuestAddress(address), "", line[at + 1]};
    line.remove_prefix(at + 3);
    symbol.name = line.substr(0, line.find_first_of(" \t"));
    if (!symbol.is_text()) continue;
    if (const auto module = line.find('['); module != std::string_view::npos)
      names.modules_.emplace(address, line.substr(module + 1, line.find(']') - module - 1));
    symbols.push_back(std::move(symbol));
  }
  names.symbols_ = SymbolTable(std::move(symbols));
  return names;
}

Function KernelNames::at(std::uint64_t address) const {
  const Symbol* symbol = symbols_.find(GuestAddress(address));
  if (symbol == nullptr) return {"vmlinux", std::string(kUnknownFunction)};
  const auto module = modules_.find(symbol->address.value);
  return {module == modules_.end() ? "vmlinux" : module->second, symbol->name};
}

}  // namespace vtax::profile
