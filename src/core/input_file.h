#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "core/descriptor.h"
#include "core/result.h"

namespace vtax {

// Opens a file that somebody names as input, for reading. What is no regular file is an error at once, where
// to open a named pipe would wait for ever; `what` begins the errors: usage, or what the system says.
[[nodiscard]] Result<Descriptor> open_input(const std::filesystem::path& file, const std::string& what);

// At most so many bytes from the place where `in` is.
[[nodiscard]] Result<std::string> read_up_to(const Descriptor& in, std::size_t bytes,
                                             const std::string& what);

}  // namespace vtax
