#include "account/unwind_functions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "core/files.h"

namespace vtax {
namespace {

using namespace std::string_literals;

std::string number32(std::uint32_t value) {
  std::string bytes(4, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

// As GCC writes it: version 1, "zR", alignments 1 and -8, register 16, addresses relative to themselves.
const std::string kCommon = number32(20) + number32(0) + "\1zR\0\1\x78\x10\1\x1b\x0c\7\x08\x90\1\0\0"s;
constexpr std::uint64_t kTableAt = 0x4000;  // in memory

// `at`: where it stands in the table.
std::string function_entry(std::size_t at, std::uint32_t begin, std::uint32_t bytes) {
  const auto id_at = static_cast<std::uint32_t>(at + 4);
  const auto itself = static_cast<std::uint32_t>(kTableAt + at + 8);
  return number32(16) + number32(id_at) + number32(begin - itself) + number32(bytes) + "\0\0\0\0"s;
}

std::string file_with_table(const std::string& table) {
  const std::string names = "\0.eh_frame\0.names\0"s;
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, "\177ELF\2\1\1", 7);
  header.e_machine = EM_X86_64;
  header.e_shoff = (sizeof header + table.size() + names.size() + 7) / 8 * 8;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 3;
  header.e_shstrndx = 2;
  Elf64_Shdr sections[3] = {};
  sections[1] = {1, SHT_PROGBITS, SHF_ALLOC, kTableAt, sizeof header, table.size(), 0, 0, 8, 0};
  sections[2] = {11, SHT_STRTAB, 0, 0, sizeof header + table.size(), names.size(), 0, 0, 1, 0};
  std::string file(header.e_shoff + sizeof sections, '\0');
  std::memcpy(file.data(), &header, sizeof header);
  file.replace(sizeof header, table.size(), table);
  file.replace(sizeof header + table.size(), names.size(), names);
  std::memcpy(file.data() + header.e_shoff, sections, sizeof sections);
  return file;
}

std::vector<UnwindFunction> functions_in(const std::string& file) {
  const auto elf = ElfFile::open({reinterpret_cast<const std::uint8_t*>(file.data()), file.size()});
  return elf ? unwind_functions(*elf) : std::vector<UnwindFunction>();
}

TEST(UnwindFunctions, AreThoseOfTheTable) {
  std::string table = kCommon;
  table += function_entry(table.size(), 0x2040, 0x10);
  table += function_entry(table.size(), 0x2000, 0x33);
  table += number32(0);
  const auto functions = functions_in(file_with_table(table));
  ASSERT_EQ(functions.size(), 2U);
  EXPECT_EQ(functions[0].begin, 0x2000U);
  EXPECT_EQ(functions[0].bytes, 0x33U);
  EXPECT_EQ(functions[1].begin, 0x2040U);
  EXPECT_EQ(functions[1].bytes, 0x10U);
}

TEST(UnwindFunctions, OfADamagedTableAreThoseBeforeTheDamage) {
  std::string table = kCommon;
  table += function_entry(table.size(), 0x2000, 0x33);
  const std::string sound = table;
  for (const std::string& damage : {"\xff"s, number32(0xffffffff), number32(1000) + number32(4), number32(2),
                                    number32(4) + number32(999)}) {
    const auto functions = functions_in(file_with_table(sound + damage));
    ASSERT_EQ(functions.size(), 1U);
    EXPECT_EQ(functions[0].begin, 0x2000U);
  }
  // An augmentation that says nothing of addresses.
  std::string other = kCommon;
  other.replace(9, 2, "ab");
  other += function_entry(other.size(), 0x2000, 0x33);
  EXPECT_TRUE(functions_in(file_with_table(other)).empty());
}

std::vector<std::uint8_t> without_sections(std::vector<std::uint8_t> file) {
  Elf64_Ehdr header;
  std::memcpy(&header, file.data(), sizeof header);
  header.e_shoff = 0;
  header.e_shnum = header.e_shstrndx = 0;
  std::memcpy(file.data(), &header, sizeof header);
  return file;
}

// A library of the system's, which has the segment that points to its table.
TEST(UnwindFunctions, OfAFileWithoutSectionsAreTheSame) {
  auto file = read_file("/lib/x86_64-linux-gnu/libc.so.6");
  if (!file) file = read_file("/usr/lib64/libc.so.6");
  if (!file) GTEST_SKIP() << "no C library where Debian and Fedora have it";
  const auto whole = ElfFile::open(*file);
  ASSERT_TRUE(whole);
  const auto functions = unwind_functions(*whole);
  ASSERT_GT(functions.size(), 1000U);
  const auto bare = without_sections(*file);
  const auto loaded = ElfFile::open(bare);
  ASSERT_TRUE(loaded && loaded->sections().empty());
  const auto found = unwind_functions(*loaded);
  ASSERT_EQ(found.size(), functions.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].begin, functions[i].begin);
    EXPECT_EQ(found[i].bytes, functions[i].bytes);
  }
}

// This program itself, by what its own symbols say.
TEST(UnwindFunctions, OfThisProgramCoverWhatItsSymbolsName) {
  const auto file = read_file("/proc/self/exe");
  ASSERT_TRUE(file);
  const auto elf = ElfFile::open(*file);
  ASSERT_TRUE(elf);
  const auto functions = unwind_functions(*elf);
  std::size_t named = 0, known = 0;
  for (const ElfFile::Section& table : elf->sections()) {
    if (table.header.sh_type != SHT_SYMTAB) continue;
    const ByteView symbols = elf->content(table);
    for (std::size_t at = 0; const auto symbol = copy_at<Elf64_Sym>(symbols, at); at += sizeof *symbol) {
      if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || symbol->st_size == 0) continue;
      ++named;
      known += std::binary_search(functions.begin(), functions.end(), UnwindFunction{symbol->st_value, 0},
                                  [](const auto& a, const auto& b) { return a.begin < b.begin; })
                   ? 1U
                   : 0U;
    }
  }
  if (named == 0) GTEST_SKIP() << "this test was stripped";
  EXPECT_GT(named, 100U);
  EXPECT_GT(known * 10, named * 9) << known << " of " << named;
}

}  // namespace
}  // namespace vtax
