#include "machine/lab/xen_loader.h"

#include <gtest/gtest.h>

#include <cstring>

#include "core/units.h"

namespace vtax::lab {
namespace {

constexpr std::uint32_t kBase = 1U << 20;

std::uint32_t word(const std::string& program, std::uint32_t address) {
  std::uint32_t value = 0;
  EXPECT_LE(address - kBase + sizeof value, program.size());
  std::memcpy(&value, program.data() + (address - kBase), sizeof value);
  return value;
}

std::string text(const std::string& program, std::uint32_t address) {
  return program.c_str() + (address - kBase);
}

// A hand-made run of the program: what its instructions store, and where they jump.
struct Handed {
  std::uint8_t flags = 0;
  std::uint32_t words = 0, modules = 0, table = 0, entry = 0;
};
Handed run(const std::string& program, std::uint32_t at) {
  Handed handed;
  const auto byte = [&](std::uint32_t address) {
    return static_cast<std::uint8_t>(program.at(address - kBase));
  };
  while (true) {
    if (byte(at) == 0x83 && byte(at + 1) == 0x0b) {
      handed.flags = byte(at + 2);
      at += 3;
    } else if (byte(at) == 0xc7 && byte(at + 1) == 0x43) {
      const std::uint32_t value = word(program, at + 3);
      if (byte(at + 2) == 16) handed.words = value;
      if (byte(at + 2) == 20) handed.modules = value;
      if (byte(at + 2) == 24) handed.table = value;
      at += 7;
    } else if (byte(at) == 0xb9) {
      handed.entry = word(program, at + 1);
      at += 5;
    } else {
      EXPECT_EQ(byte(at), 0xff);
      EXPECT_EQ(byte(at + 1), 0xe1);
      return handed;
    }
  }
}

TEST(XenLoader, NamesXensModulesAndJumpsIntoXen) {
  const std::string program = loader_program(
      0x200000, "xen console=com1", {{0x30000000, 5000, "vmlinux quiet"}, {0x31000000, 4096, "initrd.cpio"}});
  EXPECT_EQ(word(program, kBase), 0x1badb002U);
  EXPECT_EQ(word(program, kBase) + word(program, kBase + 4) + word(program, kBase + 8), 0U);
  EXPECT_EQ(word(program, kBase + 12), kBase);  // where its header lies
  EXPECT_EQ(word(program, kBase + 16), kBase);  // and its first byte

  const Handed handed = run(program, word(program, kBase + 28));
  EXPECT_EQ(handed.entry, 0x200000U);
  EXPECT_EQ(handed.flags, 4 + 8);
  EXPECT_EQ(text(program, handed.words), "xen console=com1");
  ASSERT_EQ(handed.modules, 2U);
  EXPECT_EQ(word(program, handed.table), 0x30000000U);
  EXPECT_EQ(word(program, handed.table + 4), 0x30000000U + 5000);
  EXPECT_EQ(text(program, word(program, handed.table + 8)), "vmlinux quiet");
  EXPECT_EQ(word(program, handed.table + 16), 0x31000000U);
  EXPECT_EQ(text(program, word(program, handed.table + 24)), "initrd.cpio");
}

TEST(XenLoader, PlacesModulesAsHighAsXenWould) {
  const auto placed = place_modules(1024, {{0, 41 * kMiB + 1, "a"}, {0, 70 * kMiB, "b"}});
  ASSERT_EQ(placed.size(), 3U);
  EXPECT_EQ(placed[2].address + placed[2].bytes, 1022 * kMiB);
  EXPECT_EQ(placed[1].address + placed[1].bytes, placed[2].address);
  EXPECT_EQ(placed[0].address % 4096, 0U);
  EXPECT_EQ(placed[0].address + (41 * kMiB + 4096), placed[1].address);
  EXPECT_EQ(placed[0].words, "a");
  // A chipset may have no memory above 2 GiB but above 4 GiB.
  EXPECT_LE(place_modules(4096, {{0, kMiB, "a"}})[1].address, 2048 * kMiB);
}

TEST(XenLoader, RefusesWhatDoesNotFit) {
  EXPECT_TRUE(place_modules(256, {{0, 200 * kMiB, "a"}}).empty());
  EXPECT_TRUE(place_modules(256, {{0, 100 * kMiB, "a"}, {0, 100 * kMiB, "b"}}).empty());
  EXPECT_TRUE(place_modules(64, {{0, 1, "a"}}).empty());
  EXPECT_FALSE(place_modules(256, {{0, 100 * kMiB, "a"}}).empty());
  EXPECT_TRUE(place_modules(1024, {{0, ~std::uint64_t{0}, "a"}}).empty());
}

TEST(XenLoader, NamesTheFileThatIsMissing) {
  MachineSpec spec;
  spec.xen = "/nonexistent/xen";
  const auto loader = load_xen(spec);
  ASSERT_FALSE(loader);
  EXPECT_NE(loader.error().text().find("/nonexistent/xen"), std::string::npos);
}

}  // namespace
}  // namespace vtax::lab
