#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vtax {

enum class Language { c, cpp };

struct SourceFile {
  std::string name;  // no folders
  std::string text;
};

// A program to compile: one header and `files` translation units of `functions` functions each, loops,
// branches and tables of integers and floating point; C++ adds templates over the standard containers. The
// same seed gives the same bytes on every machine.
[[nodiscard]] std::vector<SourceFile> source_tree(std::uint64_t seed, std::uint64_t files,
                                                  std::uint64_t functions, Language language);

// Of all names and texts.
[[nodiscard]] std::string sha256_of(const std::vector<SourceFile>& tree);

}  // namespace vtax
