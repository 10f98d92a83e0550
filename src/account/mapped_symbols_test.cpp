#include "account/mapped_symbols.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "core/elf_file.h"
#include "core/files.h"

namespace vtax {
namespace {

using namespace std::string_literals;

struct Given {
  const char* name;
  std::uint64_t value, bytes;
  int kind = STT_FUNC;
};

// A library whose code lies at 0x1000 of the file and at 0x2000 of its own addresses.
std::vector<std::uint8_t> library(const std::vector<Given>& given, std::uint32_t table = SHT_DYNSYM) {
  std::string names = "\0"s;
  std::vector<Elf64_Sym> symbols(1);
  for (const Given& one : given) {
    Elf64_Sym symbol{};
    symbol.st_name = static_cast<Elf64_Word>(names.size());
    names += one.name + "\0"s;
    symbol.st_info = static_cast<unsigned char>(ELF64_ST_INFO(STB_GLOBAL, one.kind));
    symbol.st_shndx = 7;
    symbol.st_value = one.value;
    symbol.st_size = one.bytes;
    symbols.push_back(symbol);
  }
  const std::string note = "\4\0\0\0\4\0\0\0\3\0\0\0GNU\0\xab\xcd\xef\x01"s;
  const std::size_t segment_at = sizeof(Elf64_Ehdr), symbols_at = segment_at + sizeof(Elf64_Phdr),
                    names_at = symbols_at + symbols.size() * sizeof(Elf64_Sym),
                    note_name_at = names_at + names.size();
  names += ".note.gnu.build-id\0"s;
  const std::size_t note_at = names_at + names.size(), sections_at = (note_at + note.size() + 7) / 8 * 8;
  std::vector<Elf64_Shdr> sections(4);
  sections[1] = {0, table, 0, 0, symbols_at, symbols.size() * sizeof(Elf64_Sym), 2, 0, 8, sizeof(Elf64_Sym)};
  sections[2] = {0, SHT_STRTAB, 0, 0, names_at, names.size(), 0, 0, 1, 0};
  sections[3] = {
      static_cast<Elf64_Word>(note_name_at - names_at), SHT_NOTE, 0, 0, note_at, note.size(), 0, 0, 4, 0};
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, "\177ELF\2\1\1", 7);
  header.e_type = ET_DYN;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof header;
  header.e_phoff = segment_at;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  header.e_shoff = sections_at;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 4;
  header.e_shstrndx = 2;
  const Elf64_Phdr segment{PT_LOAD, PF_R | PF_X, 0x1000, 0x2000, 0x2000, 0x800, 0x800, 0x1000};
  std::vector<std::uint8_t> file(0x1800);
  std::memcpy(file.data(), &header, sizeof header);
  std::memcpy(file.data() + segment_at, &segment, sizeof segment);
  std::memcpy(file.data() + symbols_at, symbols.data(), symbols.size() * sizeof(Elf64_Sym));
  std::memcpy(file.data() + names_at, names.data(), names.size());
  std::memcpy(file.data() + note_at, note.data(), note.size());
  std::memcpy(file.data() + sections_at, sections.data(), sections.size() * sizeof(Elf64_Shdr));
  return file;
}

constexpr MappedPart kMapped{GuestAddress(0x7f0000001000), GuestAddress(0x7f0000002000), 0x1000};

std::string function_at(const SymbolTable& table, std::uint64_t address) {
  const Symbol* symbol = table.find(GuestAddress(address));
  return symbol != nullptr && symbol->is_text() ? symbol->name : "";
}

TEST(MappedSymbols, AreWhereTheFileLiesInMemory) {
  const auto file = library({{"get", 0x2010, 0x20},
                             {"_ZN2db3setEv.llvm.1a2b3c", 0x2040, 0x10},
                             {"pick", 0x2060, 8, STT_GNU_IFUNC}});
  const auto table = read_mapped_symbols(ByteView(file), {}, "libdb.so", kMapped);
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_EQ(function_at(*table, 0x7f0000001010), "get");
  EXPECT_EQ(function_at(*table, 0x7f000000102f), "get");
  EXPECT_EQ(function_at(*table, 0x7f000000104f), "db::set()");
  // What lies between and behind them is nobody's, and a resolver is not what it resolves.
  for (const std::uint64_t address :
       {0x7f000000100fULL, 0x7f0000001030ULL, 0x7f0000001050ULL, 0x7f0000001062ULL})
    EXPECT_EQ(function_at(*table, address), "") << std::hex << address;
}

TEST(MappedSymbols, OfAStrippedFileComeFromTheOneKeptApart) {
  const auto file = library({{"get", 0x2010, 0x20}}),
             apart = library({{"get@@V_2", 0x2010, 0x20}, {"hidden", 0x2030, 0x40}}, SHT_SYMTAB);
  const auto table = read_mapped_symbols(ByteView(file), ByteView(apart), "libdb.so", kMapped);
  ASSERT_TRUE(table);
  EXPECT_EQ(function_at(*table, 0x7f0000001018), "get");
  EXPECT_EQ(function_at(*table, 0x7f0000001060), "hidden");
  EXPECT_EQ(debug_file_of(ByteView(file)), "usr/lib/debug/.build-id/ab/cdef01.debug");
}

// This test is not stripped, and its table of unwinding is its compiler's; `apart` has all of its names.
TEST(MappedSymbols, OfThisProgramAreNamedOrKnownByWhereTheyBegin) {
  const auto program = read_file("/proc/self/exe");
  ASSERT_TRUE(program);
  const auto elf = ElfFile::open(*program);
  ASSERT_TRUE(elf);
  const ElfFile::Section* text = elf->section(".text");
  ASSERT_NE(text, nullptr);
  const GuestAddress begin(text->header.sh_addr);
  const MappedPart part{begin, GuestAddress(begin.value + text->header.sh_size), text->header.sh_offset};
  std::vector<std::uint8_t> stripped = *program;
  std::memset(stripped.data() + elf->section(".symtab")->header.sh_offset, 0,
              elf->section(".symtab")->header.sh_size);
  const auto named = read_mapped_symbols(*program, {}, "/bin/self", part),
             unnamed = read_mapped_symbols(stripped, {}, "/bin/self", part);
  ASSERT_TRUE(named && unnamed);
  const auto is_by_place = [](const Symbol& symbol) { return symbol.name.starts_with("self+0x"); };
  std::size_t known = 0, by_place = 0;
  for (const Symbol& symbol : named->symbols()) {
    if (!symbol.is_text() || is_by_place(symbol)) continue;
    ++known;
    const Symbol* without = unnamed->find(symbol.address);
    if (without != nullptr && without->address == symbol.address) by_place += is_by_place(*without) ? 1U : 0U;
  }
  EXPECT_GT(known, 100U);
  EXPECT_GT(by_place * 10, known * 8) << by_place << " of " << known;
}

TEST(MappedSymbols, OfAFileThatIsNoneAreAnErrorAndOfAnotherPartNone) {
  EXPECT_FALSE(read_mapped_symbols(ByteView(), {}, "x", kMapped));
  const auto file = library({{"get", 0x2010, 0x20}});
  MappedPart elsewhere = kMapped;
  elsewhere.offset = 0x9000;
  const auto table = read_mapped_symbols(ByteView(file), {}, "x", elsewhere);
  ASSERT_TRUE(table);
  EXPECT_TRUE(table->symbols().empty());
  EXPECT_EQ(debug_file_of(ByteView()), "");
}

}  // namespace
}  // namespace vtax
