#include "machine/parts/debug_information.h"

#include <gtest/gtest.h>

#include "account/elf_symbols.h"
#include "core/elf_file.h"
#include "machine/parts/elf_for_test.h"
#include "machine/parts/module_list.h"

namespace vtax::lab {
namespace {

struct Part {
  std::string name;
  Elf64_Word type;
  Elf64_Xword flags;
  ByteVector content;
  Elf64_Word link = 0, info = 0;
};

// Offsets of names in ".shstrtab", which is the last section.
ByteVector object_of(std::vector<Part> parts) {
  parts.insert(parts.begin(), Part{"", SHT_NULL, 0, {}});
  parts.push_back({".shstrtab", SHT_STRTAB, 0, {}});
  ByteVector names;
  Elf64_Ehdr header = elf64_header(ET_REL);
  std::vector<Elf64_Shdr> headers;
  ByteVector file(sizeof header);
  for (Part& part : parts) {
    Elf64_Shdr one{};
    one.sh_name = static_cast<Elf64_Word>(names.size());
    append(names, bytes_of(part.name + '\0'));
    if (&part == &parts.back()) part.content = names;
    one.sh_type = part.type;
    one.sh_flags = part.flags;
    one.sh_link = part.link;
    one.sh_info = part.info;
    one.sh_addralign = 16;
    one.sh_offset = (file.size() + 15) & ~std::size_t{15};
    one.sh_size = part.content.size();
    file.resize(one.sh_offset);
    append(file, part.content);
    headers.push_back(one);
  }
  header.e_shoff = file.size();
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = static_cast<Elf64_Half>(headers.size());
  header.e_shstrndx = static_cast<Elf64_Half>(headers.size() - 1);
  for (const Elf64_Shdr& one : headers) put(file, file.size(), one);
  put(file, 0, header);
  return file;
}

// With debugging information before and behind what the kernel needs; the function is in section 2.
ByteVector built_with_debug(bool has_debug = true) {
  Elf64_Sym function{};
  function.st_name = 1;
  function.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
  function.st_shndx = 2;
  function.st_value = 4;
  ByteVector symbols(sizeof function);
  put(symbols, symbols.size(), function);
  const std::string prefix = has_debug ? ".debug_" : ".other_";
  return object_of({{prefix + "info", SHT_PROGBITS, 0, ByteVector(5000, 'D')},
                    {".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, ByteVector(33, 'T')},
                    {".rela" + prefix + "info", SHT_RELA, SHF_INFO_LINK, ByteVector(2400, 'R'), 5, 1},
                    {".modinfo", SHT_PROGBITS, SHF_ALLOC, bytes_of(std::string("vermagic=6.1.0 SMP\0", 19))},
                    {".symtab", SHT_SYMTAB, 0, symbols, 6, 1},
                    {".strtab", SHT_STRTAB, 0, bytes_of(std::string("\0run\0", 5))},
                    {prefix + "str", SHT_PROGBITS, 0, ByteVector(3000, 'S')}});
}

TEST(DebugInformation, IsLeftOutAndTheRestStaysInItsPlace) {
  const ByteVector whole = built_with_debug();
  const ByteVector bare = without_debug_information(whole);
  EXPECT_LT(bare.size(), whole.size() - 10'000);
  const auto before = ElfFile::open(whole), after = ElfFile::open(bare);
  ASSERT_TRUE(after);
  ASSERT_EQ(after->sections().size(), before->sections().size());
  for (const std::size_t number : {2U, 4U, 5U, 6U, 8U}) {
    const auto &a = before->sections()[number], &b = after->sections()[number];
    EXPECT_EQ(b.name, a.name);
    const ByteView left = before->content(a), right = after->content(b);
    EXPECT_TRUE(std::equal(left.begin(), left.end(), right.begin(), right.end())) << a.name;
    EXPECT_EQ(b.header.sh_offset % a.header.sh_addralign, 0U) << a.name;
    EXPECT_EQ(b.header.sh_link, a.header.sh_link);
  }
  for (const std::size_t number : {1U, 3U, 7U}) {
    EXPECT_EQ(after->sections()[number].header.sh_type, Elf64_Word{SHT_NULL});
    EXPECT_EQ(after->sections()[number].header.sh_size, 0U);
  }
  const auto symbols = read_elf_symbols(bare, "module");
  ASSERT_TRUE(symbols && symbols->size() == 1);
  EXPECT_EQ(symbols->at(0).name, "run");
  EXPECT_EQ(symbols->at(0).section, ".text");
  EXPECT_EQ(without_debug_information(bare), bare);
}

TEST(DebugInformation, OfAModuleGoesAsItIsRead) {
  const auto module = read_module("x", built_with_debug());
  ASSERT_TRUE(module) << module.error().text();
  EXPECT_EQ(module->object, without_debug_information(built_with_debug()));
}

TEST(DebugInformation, WhatHasNoneOrIsSignedOrForeignStaysAsItIs) {
  const ByteVector plain = built_with_debug(false);
  EXPECT_EQ(without_debug_information(plain), plain);
  ByteVector sealed = built_with_debug();
  append(sealed, bytes_of("~Module signature appended~\n"));
  EXPECT_EQ(without_debug_information(sealed), sealed);
  EXPECT_EQ(without_debug_information(vmlinux_for_test()), vmlinux_for_test());
  EXPECT_EQ(without_debug_information({}), ByteVector());
}

TEST(DebugInformation, SurvivesTruncation) {
  const ByteVector whole = built_with_debug();
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    const ByteVector part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_LE(without_debug_information(part).size(), whole.size());
  }
}

}  // namespace
}  // namespace vtax::lab
