#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "core/descriptor.h"
#include "core/result.h"

namespace vtax {

// Opens a file for reading. What is no regular file is an error at once (usage), where to open a named pipe
// would wait for ever; otherwise what the system says (io). `what` begins the errors.
[[nodiscard]] Result<Descriptor> open_regular(const std::filesystem::path& file, const std::string& what);

// The same of a file that somebody names as input: that it is not there, or may not be read, is wrong use.
[[nodiscard]] Result<Descriptor> open_input(const std::filesystem::path& file, const std::string& what);

// At most so many bytes from the place where `in` is.
[[nodiscard]] Result<std::string> read_up_to(const Descriptor& in, std::size_t bytes,
                                             const std::string& what);

}  // namespace vtax
