#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/units.h"

namespace vtax {

struct Symbol {
  GuestAddress address;
  std::string name;
  char type =
      '?';  // as nm prints it: T and t text, W and w weak, D, R, B data, A absolute; lower case is local

  // Weak functions count as text: nm prints w or W for them alone in an image's text.
  [[nodiscard]] bool is_text() const { return type == 'T' || type == 't' || type == 'W' || type == 'w'; }
};

// The symbols of one image, sorted and immutable; safe to share between threads.
//
// A symbol covers the addresses from its own to the next symbol's; the last one covers `last_symbol_bytes`,
// so that addresses behind the image (modules) have no name rather than a wrong one. Of several symbols at
// one address the one chosen is: text before data, strong before weak, functions before marks of the linker
// script (`_stext`, `__start_...`, `..._begin`), fewer leading underscores, global before local, shorter,
// then by name. So the answer does not depend on the order of the input. Names are without_lto_suffix().
class SymbolTable {
 public:
  static constexpr std::uint64_t kLastSymbolBytes = 4096;

  SymbolTable() = default;
  explicit SymbolTable(std::vector<Symbol> symbols);

  // The symbol that covers the address; nullptr where there is none. The table owns it. O(log n).
  [[nodiscard]] const Symbol* find(GuestAddress address) const;

  // The lowest address that bears the name, text before data. O(log n).
  [[nodiscard]] std::optional<GuestAddress> address_of(std::string_view name) const;

  // All symbols, sorted by address; at one address the one that find() answers is the first.
  [[nodiscard]] const std::vector<Symbol>& symbols() const { return symbols_; }

 private:
  std::vector<Symbol> symbols_;
  std::vector<std::uint64_t> starts_;   // distinct addresses, ascending
  std::vector<std::uint32_t> chosen_;   // for each start, the index of its symbol
  std::vector<std::uint32_t> by_name_;  // indices sorted by (name, not text, address)
};

}  // namespace vtax
