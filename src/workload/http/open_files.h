#pragma once

#include <cstddef>

namespace vtax::http {

// Raises this process's limit of open files as far as it may (the soft limit to the hard one).
void raise_open_files();

// The limit as it is now.
[[nodiscard]] std::size_t open_files_limit();

}  // namespace vtax::http
