#include "account/module_symbols.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace vtax {
namespace {

using namespace std::string_literals;

// A relocatable file with .text and .data, two functions, one variable: what a small module has.
std::vector<std::uint8_t> module_file() {
  const std::string names = "\0.text\0.data\0.symtab\0.strtab\0e1000_open\0e1000_xmit\0limit\0"s;
  const auto name = [&](const char* text) {
    return static_cast<Elf64_Word>(names.find(std::string("\0", 1) + text + '\0') + 1);
  };
  const auto symbol = [&](const char* text, int kind, Elf64_Half section, Elf64_Addr value) {
    Elf64_Sym s{};
    s.st_name = name(text);
    s.st_info = static_cast<unsigned char>(ELF64_ST_INFO(STB_GLOBAL, kind));
    s.st_shndx = section;
    s.st_value = value;
    return s;
  };
  const std::vector<Elf64_Sym> symbols = {Elf64_Sym{}, symbol("e1000_open", STT_FUNC, 1, 0x10),
                                          symbol("e1000_xmit", STT_FUNC, 1, 0x80),
                                          symbol("limit", STT_OBJECT, 2, 0)};
  const std::size_t symbols_at = sizeof(Elf64_Ehdr);
  const std::size_t names_at = symbols_at + symbols.size() * sizeof(Elf64_Sym);
  const std::size_t sections_at = (names_at + names.size() + 7) & ~std::size_t{7};
  std::vector<Elf64_Shdr> sections(5);
  sections[1].sh_name = name(".text");
  sections[1].sh_type = SHT_NOBITS;
  sections[1].sh_flags = SHF_ALLOC | SHF_EXECINSTR;
  sections[2].sh_name = name(".data");
  sections[2].sh_type = SHT_NOBITS;
  sections[2].sh_flags = SHF_ALLOC | SHF_WRITE;
  sections[3].sh_name = name(".symtab");
  sections[3].sh_type = SHT_SYMTAB;
  sections[3].sh_offset = symbols_at;
  sections[3].sh_size = symbols.size() * sizeof(Elf64_Sym);
  sections[3].sh_entsize = sizeof(Elf64_Sym);
  sections[3].sh_link = 4;
  sections[4].sh_name = name(".strtab");
  sections[4].sh_type = SHT_STRTAB;
  sections[4].sh_offset = names_at;
  sections[4].sh_size = names.size();
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, "\177ELF\2\1\1", 7);
  header.e_type = ET_REL;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof header;
  header.e_shoff = sections_at;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 5;
  header.e_shstrndx = 4;
  std::vector<std::uint8_t> file(sections_at + sections.size() * sizeof(Elf64_Shdr));
  std::memcpy(file.data(), &header, sizeof header);
  std::memcpy(file.data() + symbols_at, symbols.data(), symbols.size() * sizeof(Elf64_Sym));
  std::memcpy(file.data() + names_at, names.data(), names.size());
  std::memcpy(file.data() + sections_at, sections.data(), sections.size() * sizeof(Elf64_Shdr));
  return file;
}

TEST(ModuleSymbols, PlacesFunctionsAtTheirSectionsAddress) {
  const auto table =
      read_module_symbols(module_file(), "e1000.ko", {{".text", GuestAddress(0xffffffffc0123000)}});
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_EQ(table->symbols().size(), 2U);
  EXPECT_EQ(table->find(GuestAddress(0xffffffffc012307f))->name, "e1000_open");
  EXPECT_EQ(table->address_of("e1000_xmit"), GuestAddress(0xffffffffc0123080));
}

TEST(ModuleSymbols, LeavesOutSectionsThatWereNotLoadedAndVariables) {
  const auto table =
      read_module_symbols(module_file(), "e1000.ko", {{".data", GuestAddress(0xffffffffc0200000)}});
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_TRUE(table->symbols().empty());
}

TEST(ModuleSymbols, SurvivesTruncation) {
  const auto whole = module_file();
  for (std::size_t size = 0; size < whole.size(); ++size)
    (void)read_module_symbols(ByteView(whole).first(size), "cut.ko", {{".text", GuestAddress(0x1000)}});
  EXPECT_FALSE(read_module_symbols(ByteView(whole).first(40), "cut.ko", {}));
}

}  // namespace
}  // namespace vtax
