#pragma once

#include <string>

#include "core/descriptor.h"
#include "core/result.h"

// The files of a program, seen as it sees them: "/" is program_root(), and its links, which whoever made its
// image chose, lead nowhere else.
namespace vtax {

// Empty (errno) where there is none. `flags`: as open(2) has them.
[[nodiscard]] Descriptor open_program_file(const std::string& path, int flags);

// Whether it is a file, or a link to whatever.
[[nodiscard]] bool is_program_file(const std::string& path);

// Where a link leads; empty: it is none.
[[nodiscard]] std::string target_of_program_link(const std::string& path);

// Of a small regular file; empty: it is none.
[[nodiscard]] std::string read_program_file(const std::string& path);

}  // namespace vtax
