#include "account/xen_symbols.h"

#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "account/compressed_names.h"

namespace vtax {
namespace {

constexpr std::uint32_t kLargestOffset = 1U << 30;  // Xen's text, data and bss share one gigabyte

std::optional<std::vector<std::uint32_t>> offsets_at(ByteView xen, std::size_t at, std::size_t count) {
  if (!fits(xen.size(), at, 4 * count)) return std::nullopt;
  std::vector<std::uint32_t> offsets;
  offsets.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto offset = load<std::uint32_t>(xen, at + 4 * i);
    if (offset >= kLargestOffset || (!offsets.empty() && offset < offsets.back())) return std::nullopt;
    offsets.push_back(offset);
  }
  return offsets;
}

// The tables are aligned to 4 or to 8 bytes.
std::optional<std::vector<std::uint32_t>> find_offsets(ByteView xen, const CompressedNames& names) {
  const std::size_t bytes = 4 * names.names.size();
  for (const std::size_t padding : {0U, 4U}) {
    if (names.num_syms_at < bytes + padding) continue;
    if (auto found = offsets_at(xen, names.num_syms_at - bytes - padding, names.names.size())) return found;
  }
  return std::nullopt;
}

std::string_view bare_name(std::string_view name) {
  const std::size_t hash = name.find('#');
  return hash == std::string_view::npos ? name : name.substr(hash + 1);
}

void drop_needless_files(std::vector<Symbol>& symbols) {
  std::unordered_map<std::string, int> bearers;
  for (const Symbol& symbol : symbols) ++bearers[std::string(bare_name(symbol.name))];
  for (Symbol& symbol : symbols) {
    std::string bare(bare_name(symbol.name));
    if (bearers[bare] == 1) symbol.name = std::move(bare);
  }
}

}  // namespace

Result<SymbolTable> read_xen_symbols(ByteView xen, const std::string& name) {
  const std::string what = "cannot read the Xen symbols of " + name;
  auto names = find_compressed_names(xen, what);
  if (!names) return fail(names.error());
  const auto offsets = find_offsets(xen, *names);
  if (!offsets)
    return fail({what, "its names are there but their addresses are not in a known form",
                 "this is known to work with Xen 4.17 to 4.20 for x86-64"});
  std::vector<Symbol> symbols;
  symbols.reserve(offsets->size());
  for (std::size_t i = 0; i < offsets->size(); ++i)
    symbols.push_back({GuestAddress(kXenVirtualStart + (*offsets)[i]), std::move(names->names[i].text),
                       names->names[i].type});
  drop_needless_files(symbols);
  return SymbolTable(std::move(symbols));
}

}  // namespace vtax
