#include "account/kallsyms.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>

#include "account/compressed_table_for_test.h"

// Compared by hand with /proc/kallsyms of booted guests (QEMU 10.0.2, nokaslr), all symbols, no difference:
//   Debian 12  linux-image-6.1.0-56-amd64      6.1.192-2    94266 symbols
//   Debian 13  linux-image-6.12.107+deb13-amd64 6.12.107-1  166692 symbols
// The images below have the same forms at a size one can read.
namespace vtax {
namespace {

constexpr std::uint64_t kBase = 0xffffffff81000000;

// 600 functions, so that there are three markers; the second is longer than 127 bytes, the last a per-CPU
// variable's.
CompressedTableForTest::Names many_names() {
  CompressedTableForTest::Names names{"Adebug_stack", "T" + std::string(300, 'x')};
  for (int i = 2; i < 599; ++i) names.push_back("tdo_page_fault_" + std::to_string(i));
  names.emplace_back("T__x64_sys_read");
  return names;
}

// As CONFIG_KALLSYMS_ABSOLUTE_PERCPU has it: the first symbol is absolute.
std::uint32_t percpu_offset(std::size_t i) {
  return i == 0 ? 0x40 : static_cast<std::uint32_t>(-1 - static_cast<int>(16 * i));
}

std::vector<std::uint8_t> with_elf_header(std::vector<std::uint8_t> image) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, "\177ELF\2\1\1", 7);
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof header;
  std::memcpy(image.data(), &header, sizeof header);
  return image;
}

std::vector<std::uint8_t> linux_6_1() {
  CompressedTableForTest table(many_names());
  table.align(8);
  for (std::size_t i = 0; i < 600; ++i) table.u32(percpu_offset(i));
  table.align(8).u64(kBase).tables(8);
  return with_elf_header(table.image());
}

std::vector<std::uint8_t> linux_6_12() {
  CompressedTableForTest table(many_names());
  table.tables(8).align(8);
  for (std::size_t i = 0; i < 600; ++i) table.u32(percpu_offset(i));
  table.align(8).u64(kBase);
  return with_elf_header(table.image());
}

std::vector<std::uint8_t> without_absolute_percpu() {
  CompressedTableForTest table(many_names());
  table.tables(8).align(8);
  for (std::uint32_t i = 0; i < 600; ++i) table.u32(16 * i);
  table.align(8).u64(kBase);
  return with_elf_header(table.image());
}

// Each entry is how far the symbol is from it; the file lies 16 MiB behind its functions.
std::vector<std::uint8_t> with_distances(std::size_t alignment, int words_before = 0) {
  CompressedTableForTest table(many_names());
  for (int i = 0; i < words_before; ++i) table.u32(0xcccccccc);
  table.tables(alignment).align(alignment);
  constexpr std::size_t kBehind = 500;  // that image() adds
  const std::uint64_t at = table.image().size() - kBehind, loaded = kBase + (16U << 20);
  for (std::uint64_t i = 0; i < 600; ++i)
    table.u32(static_cast<std::uint32_t>(kBase + 16 * i - (loaded + at + 4 * i)));
  auto image = with_elf_header(table.image());
  Elf64_Ehdr header;
  std::memcpy(&header, image.data(), sizeof header);
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  std::memcpy(image.data(), &header, sizeof header);
  const Elf64_Phdr segment{PT_LOAD, PF_R, 0, loaded, 0, image.size(), image.size(), 4096};
  std::memcpy(image.data() + sizeof header, &segment, sizeof segment);
  return image;
}

TEST(Kallsyms, ReadsDistancesFromTheTableItself) {
  // Linux 7.0; 7.2, whose table may begin at a multiple of 8 or between two.
  for (const auto& image : {with_distances(8), with_distances(4), with_distances(4, 1)}) {
    const auto table = read_kallsyms(image, "vmlinux");
    ASSERT_TRUE(table) << table.error().text();
    EXPECT_EQ(table->symbols().size(), 600U);
    EXPECT_EQ(table->address_of("debug_stack"), GuestAddress(kBase));
    EXPECT_EQ(table->address_of("do_page_fault_300"), GuestAddress(kBase + 16 * 300));
    EXPECT_EQ(table->address_of("__x64_sys_read"), GuestAddress(kBase + 16 * 599));
  }
}

TEST(Kallsyms, ReadsBothOrdersOfTheTables) {
  for (const auto& image : {linux_6_1(), linux_6_12()}) {
    const auto table = read_kallsyms(image, "vmlinux");
    ASSERT_TRUE(table) << table.error().text();
    EXPECT_EQ(table->symbols().size(), 600U);
    EXPECT_EQ(table->address_of("debug_stack"), GuestAddress(0x40));
    EXPECT_EQ(table->address_of(std::string(300, 'x')), GuestAddress(kBase + 16));
    EXPECT_EQ(table->address_of("do_page_fault_300"), GuestAddress(kBase + 16 * 300));
    EXPECT_EQ(table->address_of("__x64_sys_read"), GuestAddress(kBase + 16 * 599));
    EXPECT_EQ(table->find(GuestAddress(kBase + 16 * 300 + 15))->type, 't');
  }
}

TEST(Kallsyms, ReadsPlainRelativeAddresses) {
  const auto table = read_kallsyms(without_absolute_percpu(), "vmlinux");
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_EQ(table->address_of("debug_stack"), GuestAddress(kBase));
  EXPECT_EQ(table->address_of("__x64_sys_read"), GuestAddress(kBase + 16 * 599));
}

TEST(Kallsyms, RefusesEveryTruncation) {
  for (const auto& whole : {linux_6_1(), linux_6_12()}) {
    const std::size_t noise_behind = 500;
    for (std::size_t size = 0; size < whole.size() - noise_behind; size += size < 200 ? 1 : 97) {
      const auto table = read_kallsyms(ByteView(whole).first(size), "vmlinux");
      ASSERT_FALSE(table) << size;
    }
  }
}

TEST(Kallsyms, DamageAnywhereLeavesATableThatIsSortedAndFindsItsOwn) {
  const auto whole = linux_6_12();
  const auto good = read_kallsyms(whole, "vmlinux");
  ASSERT_TRUE(good) << good.error().text();
  int refused = 0;
  for (std::size_t at = 0; at < whole.size(); at += 7) {
    auto damaged = whole;
    damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ 0xff);
    const auto table = read_kallsyms(damaged, "vmlinux");
    if (!table) {
      EXPECT_FALSE(table.error().why.empty()) << at;
      ++refused;
      continue;
    }
    // One damaged byte makes no symbols beyond those that the count says, and each is found where it is.
    GuestAddress before(0);
    for (const Symbol& symbol : table->symbols()) {
      EXPECT_LE(before, symbol.address) << at;
      before = symbol.address;
      const Symbol* const found = table->find(symbol.address);
      ASSERT_NE(found, nullptr) << at;
      EXPECT_EQ(found->address, symbol.address) << at;
    }
  }
  EXPECT_GT(refused, 0);
}

TEST(Kallsyms, SaysWhatAForeignFileLacks) {
  const std::vector<std::uint8_t> text(5000, 'a');
  EXPECT_NE(read_kallsyms(text, "notes.txt").error().text().find("not an ELF file"), std::string::npos);
  const auto bare = with_elf_header(std::vector<std::uint8_t>(5000, 0));
  EXPECT_NE(read_kallsyms(bare, "tool").error().text().find("no embedded symbol table"), std::string::npos);
}

}  // namespace
}  // namespace vtax
