#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace vtax {

// A whole file; larger ones than `limit` are an error, and so are directories and devices.
[[nodiscard]] Result<std::vector<std::uint8_t>> read_file(const std::filesystem::path& file,
                                                          std::uint64_t limit = std::uint64_t{1} << 30);
[[nodiscard]] Result<std::string> read_text(const std::filesystem::path& file,
                                            std::uint64_t limit = std::uint64_t{16} << 20);

// The last two thousand bytes of a log, for the reader of an error; empty where there is none.
[[nodiscard]] std::string last_lines(const std::filesystem::path& log);
// Likewise the last `most` of them.
[[nodiscard]] std::string last_bytes(const std::filesystem::path& log, std::size_t most);

// Writes beside the place and renames: readers see the old file or the new one, never a part.
[[nodiscard]] Result<> write_file(const std::filesystem::path& file, ByteView bytes);
[[nodiscard]] Result<> write_text(const std::filesystem::path& file, std::string_view text);

// With its parents; fine when it is there.
[[nodiscard]] Result<> make_directories(const std::filesystem::path& directory);

// Likewise; what is made can be written by this user alone, whatever the umask.
[[nodiscard]] Result<> make_own_directory(const std::filesystem::path& directory);

[[nodiscard]] inline ByteView text_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace vtax
