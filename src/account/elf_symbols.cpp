#include "account/elf_symbols.h"

#include <gelf.h>
#include <libelf.h>

#include <cctype>
#include <memory>

namespace vtax {
namespace {

using ElfHandle = std::unique_ptr<Elf, int (*)(Elf*)>;

// The letters of nm(1), as far as executable images have them.
char nm_type(const GElf_Sym& symbol, const GElf_Shdr* section) {
  const auto binding = GELF_ST_BIND(symbol.st_info);
  char type = 'r';
  if (section == nullptr)
    type = 'a';
  else if (binding == STB_WEAK)
    return GELF_ST_TYPE(symbol.st_info) == STT_OBJECT ? 'V' : 'W';
  else if ((section->sh_flags & SHF_EXECINSTR) != 0)
    type = 't';
  else if (section->sh_type == SHT_NOBITS)
    type = 'b';
  else if ((section->sh_flags & SHF_WRITE) != 0)
    type = 'd';
  return binding == STB_LOCAL ? type : static_cast<char>(std::toupper(type));
}

void append(std::vector<ElfSymbol>& symbols, Elf* elf, Elf_Scn* table, const GElf_Shdr& table_header,
            std::size_t section_names) {
  Elf_Data* data = elf_getdata(table, nullptr);
  if (data == nullptr || table_header.sh_entsize == 0) return;
  const std::size_t count = data->d_size / table_header.sh_entsize;
  for (std::size_t i = 1; i < count; ++i) {
    GElf_Sym symbol;
    if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) continue;
    const auto kind = GELF_ST_TYPE(symbol.st_info);
    if (symbol.st_shndx == SHN_UNDEF || kind == STT_SECTION || kind == STT_FILE) continue;
    const char* name = elf_strptr(elf, table_header.sh_link, symbol.st_name);
    if (name == nullptr || *name == '\0') continue;
    GElf_Shdr header;
    Elf_Scn* section = symbol.st_shndx < SHN_LORESERVE ? elf_getscn(elf, symbol.st_shndx) : nullptr;
    const bool in_section = section != nullptr && gelf_getshdr(section, &header) != nullptr;
    const char* section_name = in_section ? elf_strptr(elf, section_names, header.sh_name) : nullptr;
    symbols.push_back({name, section_name == nullptr ? "" : section_name, symbol.st_value,
                       nm_type(symbol, in_section ? &header : nullptr), kind == STT_FUNC});
  }
}

}  // namespace

Result<std::vector<ElfSymbol>> read_elf_symbols(ByteView file, const std::string& name) {
  const Error not_elf{"cannot read the symbols of " + name, "it is not an ELF file for x86-64", "",
                      ExitCode::usage};
  elf_version(EV_CURRENT);
  // libelf asks for a pointer to non-const and writes only to a file it has opened for writing.
  const ElfHandle elf(elf_memory(const_cast<char*>(reinterpret_cast<const char*>(file.data())), file.size()),
                      elf_end);
  GElf_Ehdr header;
  if (!elf || elf_kind(elf.get()) != ELF_K_ELF || gelf_getehdr(elf.get(), &header) == nullptr ||
      header.e_machine != EM_X86_64)
    return fail(not_elf);
  std::vector<ElfSymbol> symbols;
  std::size_t section_names = 0;
  if (elf_getshdrstrndx(elf.get(), &section_names) != 0) return symbols;
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf.get(), section)) != nullptr;) {
    GElf_Shdr section_header;
    if (gelf_getshdr(section, &section_header) != nullptr && section_header.sh_type == SHT_SYMTAB)
      append(symbols, elf.get(), section, section_header, section_names);
  }
  return symbols;
}

}  // namespace vtax
