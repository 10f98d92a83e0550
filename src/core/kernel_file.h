#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vtax {

// Small files of /proc and /sys: one line, read or written by one system call.
[[nodiscard]] Result<std::string> read_kernel_file(const std::filesystem::path& path);  // without its newline
[[nodiscard]] Result<> write_kernel_file(const std::filesystem::path& path, std::string_view value);

}  // namespace vtax
