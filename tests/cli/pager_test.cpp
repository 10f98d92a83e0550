// What `vtax report --all` and `vtax compare --all` do on a terminal, which script(1) gives them.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/files.h"
#include "record/run_writer.h"
#include "record/testing/synthetic_run.h"
#include "tests/program.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class Pager : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/vtax-pager-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    const vtax::Run run = synthetic_run();
    auto writer = RunWriter::create(folder_ / "run.vtax", run);
    ASSERT_TRUE(writer);
    for (const Trial& trial : run.trials) ASSERT_TRUE(writer->append(trial));
  }
  void TearDown() override { fs::remove_all(folder_); }

  // On a terminal of 80 columns; its output is what the terminal got, errors included.
  [[nodiscard]] ProgramResult on_terminal(const std::string& settings, const std::string& arguments) const {
    return run_program(fmt::format("cd {} && {} TERM=xterm script -qec '{} {}' /dev/null </dev/null",
                                   folder_.string(), settings, VTAX_PROGRAM, arguments));
  }
  [[nodiscard]] std::string paged() const { return read_text(folder_ / "paged").value_or(""); }
  [[nodiscard]] std::string piped(const std::string& arguments) const {
    return run_program(
               fmt::format("cd {} && PAGER='cat >paged' {} {}", folder_.string(), VTAX_PROGRAM, arguments))
        .out;
  }

  fs::path folder_;
};

TEST_F(Pager, HasAllOfWhatAPipeGets) {
  for (const char* verb : {"report run.vtax", "compare run.vtax run.vtax"}) {
    fs::remove(folder_ / "paged");
    const std::string all = std::string(verb) + " --all";
    const std::string expected = piped(all);
    EXPECT_FALSE(fs::exists(folder_ / "paged")) << "nothing is paged into a pipe";
    const auto shown = on_terminal("PAGER=\"cat >paged\"", all);
    EXPECT_EQ(shown.code, 0) << shown.out;
    EXPECT_EQ(paged(), expected) << verb;
    EXPECT_EQ(shown.out, "");
  }
}

TEST_F(Pager, OnlyForWhatIsLongAndWanted) {
  for (const char* arguments :
       {"report run.vtax", "report run.vtax --all --no-pager", "report run.vtax --all -o all.txt",
        "compare run.vtax run.vtax --all --no-pager"}) {
    EXPECT_EQ(on_terminal("PAGER=\"cat >paged\"", arguments).code, 0) << arguments;
    EXPECT_FALSE(fs::exists(folder_ / "paged")) << arguments;
  }
  EXPECT_THAT(on_terminal("PAGER=", "report run.vtax --all").out, HasSubstr("COST BY LAYER"));
}

// Whoever has seen enough ends the pager, and is told of no error.
TEST_F(Pager, MayBeLeftBeforeTheEnd) {
  const auto left = on_terminal("PAGER=\"head -n 1 >paged\"", "report run.vtax --all");
  EXPECT_EQ(left.code, 0) << left.out;
  EXPECT_EQ(left.out, "");
  EXPECT_THAT(paged(), Not(HasSubstr("COST BY LAYER")));
}

TEST_F(Pager, ThatCannotBeRunIsNamed) {
  const auto failed = on_terminal("PAGER=no-such-pager", "report run.vtax --all");
  EXPECT_EQ(failed.code, 2);
  EXPECT_THAT(failed.out, HasSubstr("--no-pager"));
}

}  // namespace
}  // namespace vtax
