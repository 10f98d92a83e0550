#include "core/shell_word.h"

#include <gtest/gtest.h>

#include "core/subprocess.h"

namespace vtax {
namespace {

TEST(ShellWord, ReachesTheShellAsItIs) {
  for (const char* word :
       {"a b", "it's", "$HOME `id` \\", "\"", "*", "", "~", "#", "a;b", "x&", "run.vtax", "grün"}) {
    const auto echoed = run_command({{"sh", "-c", "printf %s " + shell_word(word)}});
    ASSERT_TRUE(echoed);
    EXPECT_EQ(echoed->out, word);
  }
}

TEST(ShellWord, IsQuotedWhereThatIsNeededAlone) {
  EXPECT_EQ(shell_word("results/first-look.vtax"), "results/first-look.vtax");
  EXPECT_EQ(shell_word("my run.vtax"), "'my run.vtax'");
  EXPECT_EQ(shell_word_of("-x.vtax"), "./-x.vtax");
  EXPECT_EQ(shell_word_of("-my run"), "'./-my run'");
}

}  // namespace
}  // namespace vtax
