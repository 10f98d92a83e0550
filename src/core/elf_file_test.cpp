#include "core/elf_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <ctime>
#include <vector>

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

// 16,000 names in a table of 16 MB without a zero in it: each search to its end took 5 ms, all of them 76 s.
TEST(ElfFile, NamesWithoutAnEndCostLittle) {
  constexpr std::size_t kSections = 16'000, kTableBytes = 16U << 20U;
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = kSections;
  header.e_shoff = sizeof header;
  std::vector<Elf64_Shdr> table(kSections);
  table[0].sh_type = SHT_STRTAB;
  table[0].sh_offset = sizeof header + kSections * sizeof(Elf64_Shdr);
  table[0].sh_size = kTableBytes;
  std::vector<std::uint8_t> file(table[0].sh_offset + kTableBytes, 'a');
  std::memcpy(file.data(), &header, sizeof header);
  std::memcpy(file.data() + sizeof header, table.data(), kSections * sizeof(Elf64_Shdr));
  const std::clock_t before = std::clock();
  const auto elf = ElfFile::open(file);
  EXPECT_LT(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC, 1.0);
  ASSERT_TRUE(elf);
  ASSERT_EQ(elf->sections().size(), kSections);
  EXPECT_EQ(elf->sections()[1].name, "");
}

TEST(ElfFile, WhatADamagedFileShowsLiesWithinIt) {
  const auto whole = read_file("/proc/self/exe").value();
  const auto sections_at = load<std::uint64_t>(whole, offsetof(Elf64_Ehdr, e_shoff));
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < 64; ++i) places.push_back(i);
  for (std::size_t at = sections_at; at < whole.size(); at += 3) places.push_back(at);
  auto damaged = whole;
  for (const std::size_t place : places) {
    damaged[place] ^= 0xff;
    if (const auto elf = ElfFile::open(damaged)) {
      const auto segments = elf->segments();
      for (const Elf64_Phdr& segment : segments.value_or(std::vector<Elf64_Phdr>()))
        EXPECT_TRUE(fits(damaged.size(), segment.p_offset, segment.p_filesz)) << place;
      for (const auto& section : elf->sections()) {
        const ByteView content = elf->content(section);
        EXPECT_TRUE(content.empty() || (content.data() >= damaged.data() &&
                                        content.data() + content.size() <= damaged.data() + damaged.size()))
            << place;
      }
    }
    damaged[place] ^= 0xff;
  }
  const auto elf = ElfFile::open(damaged);  // healed again
  ASSERT_TRUE(elf);
  EXPECT_EQ(damaged, whole);
  EXPECT_TRUE(elf->segments());
  EXPECT_NE(elf->section(".text"), nullptr);
}

}  // namespace
}  // namespace vtax
