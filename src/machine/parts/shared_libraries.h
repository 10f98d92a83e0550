#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace vtax::lab {

// The libraries that a dynamically linked program or library names itself (DT_NEEDED), in its order.
// Empty for static programs and for what is no ELF file.
[[nodiscard]] std::vector<std::string> needed_libraries(ByteView elf);

// Whether it is a program that the kernel starts without a dynamic linker.
[[nodiscard]] bool is_static_program(ByteView elf);

// Where each library lies that `programs` need, through all levels, by its name: looked up in the usual
// directories below `root`. Names that are not there are in `missing`, sorted.
struct LibraryClosure {
  std::map<std::string, std::filesystem::path> found;
  std::vector<std::string> missing;
};
[[nodiscard]] Result<LibraryClosure> library_closure(const std::vector<std::filesystem::path>& programs,
                                                     const std::filesystem::path& root);
// Likewise, by one's own way to find them; empty: it is not there.
using FindLibrary = std::function<std::filesystem::path(const std::string& name)>;
[[nodiscard]] Result<LibraryClosure> library_closure(const std::vector<std::filesystem::path>& programs,
                                                     const FindLibrary& find);

// What the dynamic linker would refuse: a sentence for each version of a library's symbols (GLIBC_2.38) that
// a program or a library of `found` was linked with, and the library in `found` does not have.
[[nodiscard]] Result<std::vector<std::string>> unmet_versions(
    const std::vector<std::filesystem::path>& programs,
    const std::map<std::string, std::filesystem::path>& found);

// Directories of libraries below a root, relative; those that the dynamic linker searches by itself.
[[nodiscard]] const std::vector<std::string>& library_directories();

}  // namespace vtax::lab
