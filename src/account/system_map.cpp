#include "account/system_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/readable.h"

namespace vtax {
namespace {

constexpr std::uint64_t kUpperHalf = 0xffff'8000'0000'0000;

std::optional<Symbol> map_line(std::string_view line) {
  constexpr std::size_t kDigits = 16;
  // Address, space, type, space, name.
  if (line.size() < kDigits + 4 || line[kDigits] != ' ' || line[kDigits + 2] != ' ') return std::nullopt;
  std::uint64_t address = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + kDigits, address, 16);
  if (error != std::errc() || end != line.data() + kDigits) return std::nullopt;
  const std::string_view name = line.substr(kDigits + 3);
  if (name.find_first_of(" \t\r") != std::string_view::npos || printable(name, name.size()) != name)
    return std::nullopt;
  return Symbol{GuestAddress(address), std::string(name), line[kDigits + 1]};
}

}  // namespace

Result<SymbolTable> read_system_map(std::string_view text, const std::string& name) {
  const std::string what = "cannot read the kernel symbols of " + name;
  const std::string next = "give the System.map that the kernel's build made, beside its vmlinux";
  std::vector<Symbol> symbols;
  bool has_function = false;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    auto symbol = map_line(line);
    if (!symbol)
      return fail({what, fmt::format("line {} is not an address, a type and a name", number), next});
    has_function = has_function || (symbol->is_text() && symbol->address.value >= kUpperHalf);
    symbols.push_back(std::move(*symbol));
  }
  if (!has_function) return fail({what, "it names no function of a kernel", next});
  return SymbolTable(std::move(symbols));
}

}  // namespace vtax
