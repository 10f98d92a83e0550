#include "machine/parts/debug_information.h"

#include <gtest/gtest.h>

#include <cstddef>

#include "account/elf_symbols.h"
#include "core/elf_file.h"
#include "machine/parts/elf_for_test.h"
#include "machine/parts/module_list.h"

namespace vtax::lab {
namespace {

TEST(DebugInformation, IsLeftOutAndTheRestStaysInItsPlace) {
  const ByteVector whole = module_with_debug_for_test();
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
  const auto module = read_module("x", module_with_debug_for_test());
  ASSERT_TRUE(module) << module.error().text();
  EXPECT_EQ(module->object, without_debug_information(module_with_debug_for_test()));
}

TEST(DebugInformation, WhatHasNoneOrIsSignedOrForeignStaysAsItIs) {
  const ByteVector plain = module_with_debug_for_test(false);
  EXPECT_EQ(without_debug_information(plain), plain);
  ByteVector sealed = module_with_debug_for_test();
  append(sealed, bytes_of("~Module signature appended~\n"));
  EXPECT_EQ(without_debug_information(sealed), sealed);
  EXPECT_EQ(without_debug_information(vmlinux_for_test()), vmlinux_for_test());
  EXPECT_EQ(without_debug_information({}), ByteVector());
}

// What a section's header says is believed of no file.
TEST(DebugInformation, StaysWhereSectionsAreNotWhereTheySay) {
  const ByteVector whole = module_with_debug_for_test();
  const auto with_all_sections = [&](std::uint64_t offset, std::uint64_t bytes) {
    ByteVector wrong = whole;
    const Elf64_Ehdr header = ElfFile::open(whole)->header();
    for (int section = 1; section + 1 < header.e_shnum; ++section) {
      const std::size_t at = header.e_shoff + static_cast<std::size_t>(section) * sizeof(Elf64_Shdr);
      put(wrong, at + offsetof(Elf64_Shdr, sh_offset), offset);
      put(wrong, at + offsetof(Elf64_Shdr, sh_size), bytes);
    }
    return wrong;
  };
  for (const ByteVector& wrong :
       {with_all_sections(64, std::uint64_t{1} << 62), with_all_sections(64, whole.size()),
        with_all_sections(~std::uint64_t{0}, 64),
        with_all_sections(0, whole.size() - 64)})  // each upon each other
    EXPECT_EQ(without_debug_information(wrong), wrong);
}

TEST(DebugInformation, SurvivesTruncation) {
  const ByteVector whole = module_with_debug_for_test();
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    const ByteVector part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_LE(without_debug_information(part).size(), whole.size());
  }
}

}  // namespace
}  // namespace vtax::lab
