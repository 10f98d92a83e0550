#include "core/elf_file.h"

#include <gtest/gtest.h>

#include "core/files.h"

namespace vtax {
namespace {

TEST(ElfFile, ReadsThisProgram) {
  const auto bytes = read_file("/proc/self/exe");
  ASSERT_TRUE(bytes);
  const auto elf = ElfFile::open(*bytes);
  ASSERT_TRUE(elf);
  EXPECT_TRUE(elf->is_for_x86_64());
  ASSERT_TRUE(elf->segments());
  EXPECT_FALSE(elf->segments()->empty());
  const ElfFile::Section* text = elf->section(".text");
  ASSERT_NE(text, nullptr);
  EXPECT_EQ(elf->content(*text).size(), text->header.sh_size);
  EXPECT_TRUE(elf->content(*elf->section(".bss")).empty());
  EXPECT_EQ(elf->section(".no-such-section"), nullptr);
}

TEST(ElfFile, RefusesWhatIsNone) {
  EXPECT_FALSE(ElfFile::open({}));
  EXPECT_FALSE(ElfFile::open(text_bytes(std::string(100, 'a'))));
}

TEST(ElfFile, WhatIsCutOffIsNotThere) {
  const auto bytes = read_file("/proc/self/exe").value();
  for (std::size_t size = 64; size < bytes.size(); size += bytes.size() / 200 + 1) {
    const auto elf = ElfFile::open(ByteView(bytes).first(size));
    ASSERT_TRUE(elf);
    EXPECT_TRUE(elf->sections().empty());  // the table is at the end
  }
  EXPECT_FALSE(ElfFile::open(ByteView(bytes).first(1000))->segments());
}

TEST(ElfFile, SurvivesDamagedHeaders) {
  const auto whole = read_file("/proc/self/exe").value();
  const auto sections_at = load<std::uint64_t>(whole, offsetof(Elf64_Ehdr, e_shoff));
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < 64; ++i) places.push_back(i);
  for (std::size_t at = sections_at; at < whole.size(); at += 3) places.push_back(at);
  auto damaged = whole;
  for (const std::size_t place : places) {
    damaged[place] ^= 0xff;
    if (const auto elf = ElfFile::open(damaged)) {
      (void)elf->segments();
      for (const auto& section : elf->sections()) (void)elf->content(section);
    }
    damaged[place] ^= 0xff;
  }
}

}  // namespace
}  // namespace vtax
