#include "workload/orders/program_starter.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace vtax {
namespace {

std::string elf_file(const std::string& linker) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, "\177ELF\2\1\1", 7);
  header.e_phoff = sizeof header;
  header.e_phnum = 2;
  Elf64_Phdr segments[2]{};
  segments[0].p_type = PT_LOAD;
  segments[1].p_type = PT_INTERP;
  segments[1].p_offset = sizeof header + sizeof segments;
  segments[1].p_filesz = linker.size() + 1;
  std::string file(reinterpret_cast<const char*>(&header), sizeof header);
  file.append(reinterpret_cast<const char*>(segments), sizeof segments);
  return file + linker + '\0';
}

TEST(ProgramStarter, IsAScriptsInterpreterOrADynamicProgramsLinker) {
  EXPECT_EQ(starter_of("#!/bin/sh\necho"), "/bin/sh");
  EXPECT_EQ(starter_of("#! /usr/bin/env python3\n"), "/usr/bin/env");
  EXPECT_EQ(starter_of("#!/bin/sh"), "/bin/sh");
  EXPECT_EQ(starter_of(elf_file("/lib64/ld-linux-x86-64.so.2")), "/lib64/ld-linux-x86-64.so.2");
  for (const char* none : {"", "#!", "#!\n/bin/sh", "#!  \n", "echo", "\177ELF"})
    EXPECT_EQ(starter_of(none), "");
}

TEST(ProgramStarter, OfADamagedFileIsNoneOrAPartOfIt) {
  const std::string whole = elf_file("/lib64/ld-linux-x86-64.so.2");
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(starter_of(std::string_view(whole).substr(0, size)), "") << size;
  std::mt19937 random(1);
  for (int i = 0; i < 100'000; ++i) {
    std::string damaged = whole;
    for (int changes = 0; changes < 3; ++changes)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    EXPECT_LE(starter_of(damaged).size(), damaged.size());
  }
}

}  // namespace
}  // namespace vtax
