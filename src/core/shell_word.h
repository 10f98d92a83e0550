#pragma once

#include <filesystem>
#include <string>
#include <string_view>

// Words as a shell (sh, bash, zsh) reads them back, for commands that are printed or written into scripts.
namespace vtax {

// As it is where it has letters, digits and `_./+:=@%,-` alone, otherwise in single quotes.
[[nodiscard]] std::string shell_word(std::string_view word);

// The same of a file or folder, which no program takes for an option.
[[nodiscard]] std::string shell_word_of(const std::filesystem::path& path);

}  // namespace vtax
