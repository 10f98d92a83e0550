#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "account/symbol_table.h"

namespace vtax::profile {

struct Function {
  std::string image, name;  // name "unknown" where nothing tells of a function
};
inline constexpr std::string_view kUnknownFunction = "unknown";
// So begins what stands for the name of a function of a stripped program: where it begins in it is known.
inline constexpr std::string_view kUnnamedFunction = "at 0x";

// The functions of the running kernel and of its modules.
class KernelNames {
 public:
  // Of /proc/kallsyms.
  [[nodiscard]] static KernelNames read();
  // Lines "ADDRESS TYPE NAME [MODULE]".
  [[nodiscard]] static KernelNames parse(std::string_view kallsyms);

  [[nodiscard]] Function at(std::uint64_t address) const;
  // Addresses are hidden (kernel.kptr_restrict), or the file is not there.
  [[nodiscard]] bool hidden() const { return symbols_.symbols().empty(); }

 private:
  SymbolTable symbols_;
  std::unordered_map<std::uint64_t, std::string> modules_;  // by their symbols' addresses
};

}  // namespace vtax::profile
