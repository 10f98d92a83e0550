#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "account/elf_symbols.h"
#include "account/unwind_functions.h"
#include "core/files.h"
#include "profile/image_symbols.h"
#include "profile/kernel_names.h"

// As clang calls a file's own function when it optimises across files.
extern "C" int renamed_by_lto() __asm__("vtax_promoted.llvm.4503599627370496");
extern "C" __attribute__((noinline, used)) int renamed_by_lto() {
  return 1;
}

namespace vtax::profile {
namespace {

std::vector<std::uint8_t> own_program() {
  auto file = read_file("/proc/self/exe");
  return file ? std::move(*file) : std::vector<std::uint8_t>();
}

// What strip(1) does to a table of symbols, as far as readers see.
void hide_symbols(std::vector<std::uint8_t>& program) {
  Elf64_Ehdr header;
  std::memcpy(&header, program.data(), sizeof header);
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    const std::size_t at = header.e_shoff + i * header.e_shentsize;
    Elf64_Shdr section;
    std::memcpy(&section, program.data() + at, sizeof section);
    if (section.sh_type != SHT_SYMTAB && section.sh_type != SHT_DYNSYM) continue;
    section.sh_type = SHT_NULL;
    std::memcpy(program.data() + at, &section, sizeof section);
  }
}

std::uint64_t offset_in_file(const ElfFile& elf, std::uint64_t address) {
  const auto segments = elf.segments();
  if (segments)
    for (const Elf64_Phdr& segment : *segments)
      if (segment.p_type == PT_LOAD && address - segment.p_vaddr < segment.p_filesz)
        return address - segment.p_vaddr + segment.p_offset;
  return 0;
}

TEST(ImageSymbols, AStrippedProgramHasFunctionsWithoutNames) {
  auto program = own_program();
  const auto elf = ElfFile::open(program);
  ASSERT_TRUE(elf);
  const auto functions = unwind_functions(*elf);
  ASSERT_FALSE(functions.empty());
  const UnwindFunction one = functions[functions.size() / 2];
  const std::uint64_t begin = offset_in_file(*elf, one.begin);
  ASSERT_NE(begin, 0U);
  ImageSymbols whole{ByteView(program)};
  EXPECT_FALSE(std::string(whole.at(begin)).starts_with(kUnnamedFunction));
  hide_symbols(program);
  ImageSymbols stripped{ByteView(program)};
  const std::string name(stripped.at(begin));
  EXPECT_TRUE(name.starts_with(kUnnamedFunction)) << name;
  EXPECT_EQ(stripped.at(begin + one.bytes - 1), name);
}

TEST(ImageSymbols, AFunctionOfAnLtoBuildHasTheNameOfItsSource) {
  const auto program = own_program();
  const auto elf = ElfFile::open(program);
  const auto symbols = read_elf_symbols(program, "this test");
  ASSERT_TRUE(elf && symbols);
  const auto promoted = std::find_if(symbols->begin(), symbols->end(), [](const ElfSymbol& symbol) {
    return symbol.name.starts_with("vtax_promoted.");
  });
  ASSERT_NE(promoted, symbols->end());
  EXPECT_EQ(ImageSymbols{ByteView(program)}.at(offset_in_file(*elf, promoted->value)), "vtax_promoted");
}

}  // namespace
}  // namespace vtax::profile
