#pragma once

#include <string>
#include <string_view>

// Names of functions as compilers write them into tables of symbols, which is not always what the source
// says.
namespace vtax {

// Optimisation across files makes a file's own functions global, and tells those of one name apart by a
// suffix that changes with the source's path and content: "name.llvm.4503599627370496" (clang),
// "name.lto_priv.0" (GCC). Such a suffix is taken out, wherever it stands; others (".cold", ".isra.0") stay,
// and so does a name without one.
[[nodiscard]] std::string without_lto_suffix(std::string name);

// What a person calls a symbol: without_lto_suffix(), for with that a mangled name is none any more, and
// demangled.
[[nodiscard]] std::string readable_function_name(std::string symbol);

// "name" of "name.isra.0" and "name.constprop.0.isra.0": the whole function, compiled for some of its
// callers. A part of a function ("name.part.0", "name.cold") keeps its name.
[[nodiscard]] std::string_view without_clone_suffix(std::string_view name);

}  // namespace vtax
