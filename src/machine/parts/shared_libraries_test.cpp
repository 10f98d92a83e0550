#include "machine/parts/shared_libraries.h"

#include <gmock/gmock.h>

#include "core/files.h"
#include "machine/parts/elf_for_test.h"

namespace vtax::lab {
namespace {

using testing::Contains;

// A program of this machine that is dynamically linked everywhere: the one that runs this test's shell.
constexpr const char* kDynamicProgram = "/bin/sh";

TEST(SharedLibraries, ReadsWhatAProgramNeeds) {
  const auto program = read_file(kDynamicProgram);
  ASSERT_TRUE(program);
  EXPECT_THAT(needed_libraries(*program), Contains("libc.so.6"));
  EXPECT_FALSE(is_static_program(*program));
}

TEST(SharedLibraries, ClosureGoesThroughAllLevels) {
  const auto closure = library_closure({kDynamicProgram}, "/");
  ASSERT_TRUE(closure);
  EXPECT_TRUE(closure->found.contains("libc.so.6"));
  EXPECT_TRUE(closure->found.contains("ld-linux-x86-64.so.2"));  // which only libc names
  EXPECT_TRUE(closure->missing.empty());
  EXPECT_THAT(library_closure({kDynamicProgram}, "/nonexistent")->missing, Contains("libc.so.6"));
}

TEST(SharedLibraries, SurvivesWhatIsNoProgram) {
  EXPECT_TRUE(needed_libraries(bytes_of("text")).empty());
  EXPECT_FALSE(is_static_program(bytes_of("text")));
  EXPECT_TRUE(is_static_program(vmlinux_for_test()));
  const auto program = read_file(kDynamicProgram);
  for (std::size_t size = 0; size < program->size(); size += 501)
    (void)needed_libraries(ByteView(*program).first(size));
}

}  // namespace
}  // namespace vtax::lab
