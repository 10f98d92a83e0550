#include "machine/parts/shared_libraries.h"

#include <algorithm>
#include <set>

#include "core/elf_file.h"
#include "core/files.h"

namespace vtax::lab {
namespace {

// The string table's section is named by its number in the dynamic section's header.
void append_needed(const ElfFile& elf, const ElfFile::Section& section, std::vector<std::string>& needed) {
  const ByteView content = elf.content(section);
  for (std::size_t at = 0; const auto entry = copy_at<Elf64_Dyn>(content, at); at += sizeof *entry) {
    if (entry->d_tag != DT_NEEDED) continue;
    const std::string_view name = elf.text(section.header.sh_link, entry->d_un.d_val);
    if (!name.empty()) needed.emplace_back(name);
  }
}

bool has_segment(const std::vector<Elf64_Phdr>& segments, std::uint32_t type) {
  return std::any_of(segments.begin(), segments.end(),
                     [type](const auto& segment) { return segment.p_type == type; });
}

}  // namespace

std::vector<std::string> needed_libraries(ByteView file) {
  std::vector<std::string> needed;
  const auto elf = ElfFile::open(file);
  if (!elf) return needed;
  for (const ElfFile::Section& section : elf->sections())
    if (section.header.sh_type == SHT_DYNAMIC) append_needed(*elf, section, needed);
  return needed;
}

bool is_static_program(ByteView file) {
  const auto elf = ElfFile::open(file);
  const auto segments = elf ? elf->segments() : std::nullopt;
  return segments && has_segment(*segments, PT_LOAD) && !has_segment(*segments, PT_INTERP);
}

const std::vector<std::string>& library_directories() {
  static const std::vector<std::string> directories = {
      "usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib64", "lib64", "usr/lib", "lib"};
  return directories;
}

Result<LibraryClosure> library_closure(const std::vector<std::filesystem::path>& programs,
                                       const std::filesystem::path& root) {
  LibraryClosure closure;
  std::set<std::string> missing;
  std::vector<std::filesystem::path> next = programs;
  while (!next.empty()) {
    const auto file = read_file(next.back());
    if (!file) return fail(file.error());
    next.pop_back();
    for (const std::string& name : needed_libraries(*file)) {
      if (closure.found.contains(name) || missing.contains(name)) continue;
      std::error_code ignored;
      std::filesystem::path where;
      for (const std::string& directory : library_directories())
        if (where.empty() && std::filesystem::is_regular_file(root / directory / name, ignored))
          where = root / directory / name;
      if (where.empty()) {
        missing.insert(name);
        continue;
      }
      closure.found[name] = where;
      next.push_back(where);
    }
  }
  closure.missing.assign(missing.begin(), missing.end());
  return closure;
}

}  // namespace vtax::lab
