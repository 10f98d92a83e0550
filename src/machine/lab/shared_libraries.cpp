#include "machine/lab/shared_libraries.h"

#include <gelf.h>
#include <libelf.h>

#include <memory>
#include <set>

#include "core/files.h"

namespace vtax::lab {
namespace {

using ElfHandle = std::unique_ptr<Elf, int (*)(Elf*)>;

ElfHandle open_elf(ByteView file) {
  elf_version(EV_CURRENT);
  return {elf_memory(const_cast<char*>(reinterpret_cast<const char*>(file.data())), file.size()), elf_end};
}

bool has_segment(Elf* elf, std::uint32_t type) {
  std::size_t count = 0;
  if (elf_getphdrnum(elf, &count) != 0) return false;
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr segment;
    if (gelf_getphdr(elf, static_cast<int>(i), &segment) != nullptr && segment.p_type == type) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> needed_libraries(ByteView file) {
  std::vector<std::string> needed;
  const ElfHandle elf = open_elf(file);
  if (!elf || elf_kind(elf.get()) != ELF_K_ELF) return needed;
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf.get(), section)) != nullptr;) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_DYNAMIC || header.sh_entsize == 0)
      continue;
    Elf_Data* data = elf_getdata(section, nullptr);
    if (data == nullptr) continue;
    for (std::size_t i = 0; i < data->d_size / header.sh_entsize; ++i) {
      GElf_Dyn entry;
      if (gelf_getdyn(data, static_cast<int>(i), &entry) == nullptr || entry.d_tag != DT_NEEDED) continue;
      if (const char* name = elf_strptr(elf.get(), header.sh_link, entry.d_un.d_val))
        needed.emplace_back(name);
    }
  }
  return needed;
}

bool is_static_program(ByteView file) {
  const ElfHandle elf = open_elf(file);
  return elf && elf_kind(elf.get()) == ELF_K_ELF && has_segment(elf.get(), PT_LOAD) &&
         !has_segment(elf.get(), PT_INTERP);
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
