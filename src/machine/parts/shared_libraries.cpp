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
  return library_closure(programs, [&](const std::string& name) {
    std::error_code ignored;
    for (const std::string& directory : library_directories())
      if (std::filesystem::is_regular_file(root / directory / name, ignored)) return root / directory / name;
    return std::filesystem::path();
  });
}

Result<LibraryClosure> library_closure(const std::vector<std::filesystem::path>& programs,
                                       const FindLibrary& find) {
  LibraryClosure closure;
  std::set<std::string> missing;
  std::vector<std::filesystem::path> next = programs;
  while (!next.empty()) {
    const auto file = read_file(next.back());
    if (!file) return fail(file.error());
    next.pop_back();
    for (const std::string& name : needed_libraries(*file)) {
      if (closure.found.contains(name) || missing.contains(name)) continue;
      const std::filesystem::path where = find(name);
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

namespace {

const ElfFile::Section* section_of_type(const ElfFile& elf, std::uint32_t type) {
  const auto found = std::find_if(elf.sections().begin(), elf.sections().end(),
                                  [type](const auto& section) { return section.header.sh_type == type; });
  return found == elf.sections().end() ? nullptr : &*found;
}

// More than any library has; a chain of a damaged file may go in a circle.
constexpr int kMostVersions = 10'000;

struct NeededVersion {
  std::string library, version;
};

std::vector<NeededVersion> needed_versions(const ElfFile& elf) {
  std::vector<NeededVersion> needed;
  const ElfFile::Section* section = section_of_type(elf, SHT_GNU_verneed);
  if (section == nullptr) return needed;
  const ByteView content = elf.content(*section);
  const std::uint32_t names = section->header.sh_link;
  int left = kMostVersions;
  std::uint64_t at = 0;
  while (const auto library = copy_at<Elf64_Verneed>(content, at)) {
    std::uint64_t part = at + library->vn_aux;
    while (left-- > 0) {
      const auto version = copy_at<Elf64_Vernaux>(content, part);
      if (!version) break;
      if ((version->vna_flags & VER_FLG_WEAK) == 0)
        needed.push_back({std::string(elf.text(names, library->vn_file)),
                          std::string(elf.text(names, version->vna_name))});
      if (version->vna_next == 0) break;
      part += version->vna_next;
    }
    if (library->vn_next == 0 || left <= 0) break;
    at += library->vn_next;
  }
  return needed;
}

std::set<std::string> defined_versions(const ElfFile& elf) {
  std::set<std::string> defined;
  const ElfFile::Section* section = section_of_type(elf, SHT_GNU_verdef);
  if (section == nullptr) return defined;
  const ByteView content = elf.content(*section);
  std::uint64_t at = 0;
  for (int left = kMostVersions; left > 0; --left) {
    const auto version = copy_at<Elf64_Verdef>(content, at);
    if (!version) break;
    // The first name is the version's; others are those that it follows.
    if (const auto name = copy_at<Elf64_Verdaux>(content, at + version->vd_aux))
      defined.emplace(elf.text(section->header.sh_link, name->vda_name));
    if (version->vd_next == 0) break;
    at += version->vd_next;
  }
  return defined;
}

}  // namespace

Result<std::vector<std::string>> unmet_versions(const std::vector<std::filesystem::path>& programs,
                                                const std::map<std::string, std::filesystem::path>& found) {
  std::map<std::string, std::set<std::string>> defined;
  std::map<std::filesystem::path, std::vector<NeededVersion>> needed;
  std::vector<std::filesystem::path> files = programs;
  for (const auto& [name, file] : found) files.push_back(file);
  for (const std::filesystem::path& file : files) {
    const auto content = read_file(file);
    if (!content) return fail(content.error());
    const auto elf = ElfFile::open(*content);
    if (!elf) continue;
    needed[file] = needed_versions(*elf);
    for (const auto& [name, library] : found)
      if (library == file) defined[name] = defined_versions(*elf);
  }
  std::vector<std::string> unmet;
  for (const auto& [file, versions] : needed)
    for (const auto& [library, version] : versions) {
      const auto known = defined.find(library);
      // A library without versions serves any.
      if (known == defined.end() || known->second.empty() || known->second.contains(version)) continue;
      unmet.push_back(file.string() + " was linked with " + version + " of " + library + ", which " +
                      found.at(library).string() + " does not have");
    }
  return unmet;
}

}  // namespace vtax::lab
