#include "machine/host/xen_toolstack.h"

#include <gtest/gtest.h>

#include <random>

namespace vtax::host {
namespace {

// Of `xl info` on Debian 12, Xen 4.17; shortened.
constexpr char kInfo[] =
    "host                   : dom0\nrelease                : 6.1.0-56-amd64\nnr_cpus                : 4\n"
    "free_memory            : 434\nxen_major              : 4\nxen_version            : 4.17.5\n"
    "virt_caps              : pv hvm hap shadow\nxen_commandline        : placeholder dom0_mem=576M\n";

TEST(XlInfo, VersionMemoryAndCpusAreRead) {
  const auto facts = parse_xl_info(kInfo);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->version, "4.17.5");
  EXPECT_EQ(facts->free_mib, 434U);
  EXPECT_EQ(facts->cpus, 4);
  EXPECT_TRUE(facts->has_hvm);
  // As it is where the CPU's virtualisation is off.
  const auto without = parse_xl_info("xen_version : 4.17.5\nfree_memory : 9\nnr_cpus : 1\nvirt_caps : pv\n");
  ASSERT_TRUE(without);
  EXPECT_FALSE(without->has_hvm);
}

TEST(XlInfo, WhatLacksOneOfThemIsNothing) {
  EXPECT_FALSE(parse_xl_info(""));
  EXPECT_FALSE(parse_xl_info("xen_version : 4.17.5\nfree_memory : 434\n"));
  EXPECT_FALSE(parse_xl_info("xen_version : 4.17.5\nfree_memory : much\nnr_cpus : 4\n"));
  EXPECT_FALSE(parse_xl_info("xen_version :\nfree_memory : 434\nnr_cpus : 4\n"));
}

TEST(XlInfo, WhatNoiseSaysIsStillAnAnswerOfXen) {
  std::mt19937 random(7);
  int taken = 0, refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string text = kInfo;
    for (int change = 0; change < 8; ++change)
      text[random() % text.size()] = static_cast<char>(random() % 256);
    const auto facts = parse_xl_info(text);
    ++(facts ? taken : refused);
    if (!facts) continue;
    EXPECT_FALSE(facts->version.empty());
    EXPECT_GT(facts->cpus, 0);
  }
  EXPECT_GT(taken, 0);
  EXPECT_GT(refused, 0);
}

TEST(RunXl, OutputOrTheLastWords) {
  XenToolstack shell;
  shell.xl = "/bin/sh";
  const auto said = run_xl(shell, {"-c", "echo one; echo two >&2"}, std::chrono::seconds(10));
  ASSERT_TRUE(said) << said.error().text();
  EXPECT_EQ(*said, "one\n");
  const auto failed = run_xl(shell, {"-c", "echo out of memory; exit 3"}, std::chrono::seconds(10));
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().why.find("out of memory"), std::string::npos);
  const auto hangs = run_xl(shell, {"-c", "exec sleep 60"}, std::chrono::seconds(1));
  ASSERT_FALSE(hangs);
  EXPECT_NE(hangs.error().why.find("not over after 1 s"), std::string::npos);
}

}  // namespace
}  // namespace vtax::host
