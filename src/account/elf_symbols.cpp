#include "account/elf_symbols.h"

#include <cctype>

#include "core/elf_file.h"

namespace vtax {
namespace {

// The letters of nm(1), as far as executable images have them.
char nm_type(const Elf64_Sym& symbol, const Elf64_Shdr* section) {
  const auto binding = ELF64_ST_BIND(symbol.st_info);
  char type = 'r';
  if (section == nullptr)
    type = 'a';
  else if (binding == STB_WEAK)
    return ELF64_ST_TYPE(symbol.st_info) == STT_OBJECT ? 'V' : 'W';
  else if ((section->sh_flags & SHF_EXECINSTR) != 0)
    type = 't';
  else if (section->sh_type == SHT_NOBITS)
    type = 'b';
  else if ((section->sh_flags & SHF_WRITE) != 0)
    type = 'd';
  return binding == STB_LOCAL ? type : static_cast<char>(std::toupper(type));
}

void append(std::vector<ElfSymbol>& symbols, const ElfFile& elf, const ElfFile::Section& table) {
  const ByteView content = elf.content(table);
  for (std::size_t at = sizeof(Elf64_Sym); const auto symbol = copy_at<Elf64_Sym>(content, at);
       at += sizeof *symbol) {
    const auto kind = ELF64_ST_TYPE(symbol->st_info);
    if (symbol->st_shndx == SHN_UNDEF || kind == STT_SECTION || kind == STT_FILE) continue;
    const std::string_view name = elf.text(table.header.sh_link, symbol->st_name);
    if (name.empty()) continue;
    const ElfFile::Section* section =
        symbol->st_shndx < SHN_LORESERVE && symbol->st_shndx < elf.sections().size()
            ? &elf.sections()[symbol->st_shndx]
            : nullptr;
    symbols.push_back({std::string(name), std::string(section == nullptr ? "" : section->name),
                       symbol->st_value, nm_type(*symbol, section == nullptr ? nullptr : &section->header),
                       kind == STT_FUNC});
  }
}

}  // namespace

Result<std::vector<ElfSymbol>> read_elf_symbols(ByteView file, const std::string& name) {
  const auto elf = ElfFile::open(file);
  if (!elf || !elf->is_for_x86_64())
    return fail({"cannot read the symbols of " + name, "it is not an ELF file for x86-64", ""});
  std::vector<ElfSymbol> symbols;
  for (const ElfFile::Section& section : elf->sections())
    if (section.header.sh_type == SHT_SYMTAB) append(symbols, *elf, section);
  return symbols;
}

}  // namespace vtax
