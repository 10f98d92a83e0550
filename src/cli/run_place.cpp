#include "cli/run_place.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/readable.h"

namespace vtax {
namespace {

constexpr std::size_t kLongestName = 60;  // of 255 bytes that file systems take, SQLite's endings included

std::filesystem::path numbered(const std::filesystem::path& folder, const std::string& name, int number) {
  return folder / (number == 1 ? name + ".vtax" : fmt::format("{}-{}.vtax", name, number));
}

// Of a broken symbolic link, too: it cannot be made anew.
bool is_taken(const std::filesystem::path& file) {
  std::error_code ignored;
  return std::filesystem::symlink_status(file, ignored).type() != std::filesystem::file_type::not_found;
}

}  // namespace

std::string file_name_of(std::string_view study_name) {
  std::string name;
  for (const char c : printable(study_name, kLongestName)) {
    const bool is_letter =
        static_cast<unsigned char>(c) >= 0x80;  // whole characters: printable() sees to that
    const bool fits = is_letter || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                      (c >= 'a' && c <= 'z') || c == '_' || c == '.' || c == '+';
    if (fits)
      name += c;
    else if (!name.empty() && name.back() != '-')
      name += '-';
  }
  const std::size_t begin = name.find_first_not_of(".-");
  if (begin == std::string::npos) return "study";
  return name.substr(begin, name.find_last_not_of(".-") + 1 - begin);
}

std::filesystem::path free_run_file(const std::filesystem::path& folder, std::string_view study_name) {
  const std::string name = file_name_of(study_name);
  int number = 1;
  while (is_taken(numbered(folder, name, number))) ++number;
  return numbered(folder, name, number);
}

std::filesystem::path last_run_file(const std::filesystem::path& folder, std::string_view study_name) {
  const std::string name = file_name_of(study_name);
  int number = 1;
  while (is_taken(numbered(folder, name, number + 1))) ++number;
  return numbered(folder, name, number);
}

std::filesystem::path shard_file(std::string_view study_name, const Shard& shard) {
  return fmt::format("{}.shard-{}-of-{}.vtax", file_name_of(study_name), shard.number, shard.of);
}

}  // namespace vtax
