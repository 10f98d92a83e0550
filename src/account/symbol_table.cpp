#include "account/symbol_table.h"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <tuple>

#include "core/function_name.h"

namespace vtax {
namespace {

bool is_linker_mark(std::string_view name) {
  return name == "_text" || name.starts_with("_stext") || name.starts_with("_etext") ||
         name.starts_with("__start_") || name.starts_with("__stop_") || name.ends_with("_begin") ||
         name.ends_with("_start") || name.ends_with("_end");
}

// Smaller is better.
auto preference(const Symbol& symbol) {
  const std::size_t underscores = std::min(symbol.name.find_first_not_of('_'), symbol.name.size());
  const bool weak = symbol.type == 'W' || symbol.type == 'w';
  const bool local = std::islower(static_cast<unsigned char>(symbol.type)) != 0;
  return std::tuple(!symbol.is_text(), weak, is_linker_mark(symbol.name), underscores, local,
                    symbol.name.size());
}

bool before(const Symbol& a, const Symbol& b) {
  if (a.address != b.address) return a.address < b.address;
  const auto left = preference(a);
  const auto right = preference(b);
  if (left != right) return left < right;
  return std::tie(a.name, a.type) < std::tie(b.name, b.type);
}

}  // namespace

SymbolTable::SymbolTable(std::vector<Symbol> symbols) : symbols_(std::move(symbols)) {
  for (Symbol& symbol : symbols_) symbol.name = without_lto_suffix(std::move(symbol.name));
  std::sort(symbols_.begin(), symbols_.end(), before);
  for (std::size_t i = 0; i < symbols_.size(); ++i) {
    if (!starts_.empty() && starts_.back() == symbols_[i].address.value) continue;
    starts_.push_back(symbols_[i].address.value);
    chosen_.push_back(static_cast<std::uint32_t>(i));
  }
  by_name_.resize(symbols_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0U);
  std::sort(by_name_.begin(), by_name_.end(), [this](std::uint32_t a, std::uint32_t b) {
    const int order = symbols_[a].name.compare(symbols_[b].name);
    if (order != 0) return order < 0;
    return std::tuple(!symbols_[a].is_text(), a) < std::tuple(!symbols_[b].is_text(), b);
  });
}

const Symbol* SymbolTable::find(GuestAddress address) const {
  const auto next = std::upper_bound(starts_.begin(), starts_.end(), address.value);
  if (next == starts_.begin()) return nullptr;
  const auto index = static_cast<std::size_t>(next - starts_.begin()) - 1;
  if (next == starts_.end() && address.value - starts_[index] >= kLastSymbolBytes) return nullptr;
  return &symbols_[chosen_[index]];
}

std::optional<GuestAddress> SymbolTable::address_of(std::string_view name) const {
  const auto found =
      std::lower_bound(by_name_.begin(), by_name_.end(), name,
                       [this](std::uint32_t i, std::string_view n) { return symbols_[i].name < n; });
  if (found == by_name_.end() || symbols_[*found].name != name) return std::nullopt;
  return symbols_[*found].address;
}

}  // namespace vtax
