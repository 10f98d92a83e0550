#include "machine/parts/debug_information.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "core/elf_file.h"

namespace vtax::lab {
namespace {

constexpr std::string_view kSignatureEnd = "~Module signature appended~\n";  // Linux, MODULE_SIG_STRING

bool is_signed(ByteView module) {
  return module.size() >= kSignatureEnd.size() &&
         std::memcmp(module.data() + module.size() - kSignatureEnd.size(), kSignatureEnd.data(),
                     kSignatureEnd.size()) == 0;
}

bool is_for_debuggers(const ElfFile::Section& section) {
  return (section.header.sh_flags & SHF_ALLOC) == 0 &&
         (section.name.starts_with(".debug_") || section.name.starts_with(".rela.debug_"));
}

void pad_to(std::vector<std::uint8_t>& file, std::uint64_t alignment) {
  constexpr std::uint64_t kMost = 4096;
  const std::uint64_t unit = std::clamp<std::uint64_t>(alignment, 1, kMost);
  file.resize((file.size() + unit - 1) / unit * unit);
}

}  // namespace

std::vector<std::uint8_t> without_debug_information(std::vector<std::uint8_t> module) {
  const auto elf = ElfFile::open(module);
  if (!elf || elf->header().e_type != ET_REL || is_signed(module) ||
      std::none_of(elf->sections().begin(), elf->sections().end(), is_for_debuggers))
    return module;
  Elf64_Ehdr header = elf->header();
  std::vector<std::uint8_t> bare(sizeof header);
  std::vector<Elf64_Shdr> headers;
  for (const ElfFile::Section& section : elf->sections()) {
    Elf64_Shdr one = section.header;
    const ByteView content = elf->content(section);
    if (is_for_debuggers(section)) {
      one = {};
      one.sh_name = section.header.sh_name;
    } else if (one.sh_type != SHT_NULL && one.sh_type != SHT_NOBITS) {
      pad_to(bare, one.sh_addralign);
      // Cut off, or sections that lie upon each other.
      if (content.size() != one.sh_size || !fits(module.size(), bare.size(), content.size())) return module;
      one.sh_offset = bare.size();
      bare.insert(bare.end(), content.begin(), content.end());
    }
    headers.push_back(one);
  }
  pad_to(bare, alignof(Elf64_Shdr));
  header.e_shoff = bare.size();
  header.e_shentsize = sizeof(Elf64_Shdr);
  const auto* const table = reinterpret_cast<const std::uint8_t*>(headers.data());
  bare.insert(bare.end(), table, table + headers.size() * sizeof(Elf64_Shdr));
  std::memcpy(bare.data(), &header, sizeof header);
  return bare;
}

}  // namespace vtax::lab
