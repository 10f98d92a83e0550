// What helps people find their way: help, lists, explanations, a first study, a dry run, manuals and
// completions.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/sha256.h"
#include "tests/program.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

class Helps : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/vtax-help-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] ProgramResult run(const std::string& arguments) const {
    return run_program("cd " + folder_.string() + " && " VTAX_PROGRAM " " + arguments);
  }
  [[nodiscard]] std::string text_of(const std::string& file) const {
    const std::ifstream in(folder_ / file, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }

  fs::path folder_;
};

TEST_F(Helps, HelpOfAVerbIsItsOwn) {
  EXPECT_EQ(run("help run").out, run("run --help").out);
  EXPECT_EQ(run("help lab boot").out, run("lab boot --help").out);
  EXPECT_EQ(run("help").out, run("--help").out);
  EXPECT_EQ(run("help nothing").code, 2);
}

TEST_F(Helps, VersionSaysRevisionAndBuild) {
  const auto version = run("--version");
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.out, StartsWith("vtax 0."));
  EXPECT_THAT(version.out, HasSubstr("revision "));
  EXPECT_THAT(version.out, HasSubstr("x86_64"));
}

TEST_F(Helps, ListWithoutAWordSaysWhatThereIs) {
  const auto list = run("list");
  EXPECT_EQ(list.code, 0);
  for (const char* what : {"studies", "platforms", "workloads", "factors", "layers", "events", "claims"}) {
    EXPECT_THAT(list.out, HasSubstr(what));
    const auto one = run(std::string("list ") + what);
    EXPECT_EQ(one.code, 0);
    EXPECT_GT(one.out.size(), 200U) << what;
  }
  EXPECT_THAT(run("list layers").out, HasSubstr("hypervisor   Xen, or KVM's part"));
  EXPECT_THAT(run("list events").out, HasSubstr("hypercalls"));
  EXPECT_THAT(run("list factors").out, HasSubstr("write_bytes"));
}

TEST_F(Helps, ExplainsWhateverHasAName) {
  const auto said = [&](const std::string& name) { return run("explain " + name).out; };
  EXPECT_THAT(said("offloads"), HasSubstr("offloads (factor of every workload)"));
  EXPECT_THAT(said("write_bytes"), HasSubstr("write_bytes (factor of tcp-stream)"));
  EXPECT_THAT(said("hypervisor"), HasSubstr("hypervisor (layer)"));
  EXPECT_THAT(said("vm exits"), HasSubstr("vm_exits (event): exits of a guest"));
  EXPECT_THAT(said("hypercalls"), HasSubstr("pv_hypercall of xen"));
  EXPECT_THAT(said("xen-pv"), HasSubstr("xen-pv (platform)"));
  EXPECT_THAT(said("digest"), HasSubstr("digest (word)"));
  EXPECT_THAT(said("antonioli-2006/between-machines"), HasSubstr("reproduced: 1.1 at least"));
  EXPECT_THAT(said("between-machines"), HasSubstr("antonioli-2006/between-machines (claim)"));
  const auto unknown = run("explain ofloads");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean 'offloads'?"));
}

TEST_F(Helps, InitWritesAStudyThatCanBeRun) {
  const auto init = run("init small.toml");
  ASSERT_EQ(init.code, 0) << init.err;
  EXPECT_THAT(text_of("small.toml"), HasSubstr("name = \"small\""));
  const auto again = run("init small.toml");
  EXPECT_EQ(again.code, 2);
  EXPECT_THAT(again.err, HasSubstr("it is there already"));
  const auto dry = run("run small.toml --dry-run");
  ASSERT_EQ(dry.code, 0) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("Study small: 36 trials on machine lab, 3 of each cell"));
  EXPECT_FALSE(fs::exists(folder_ / "small.vtax"));
}

TEST_F(Helps, DryRunSaysWhatARunComesTo) {
  const auto lab = run("run first-look --dry-run");
  ASSERT_EQ(lab.code, 0) << lab.err;
  EXPECT_THAT(lab.out, HasSubstr("Study first-look: 300 trials on machine lab, 5 of each cell"));
  EXPECT_THAT(lab.out, HasSubstr("machines to boot: 2 at most"));
  EXPECT_THAT(lab.out, HasSubstr("about: some"));
  EXPECT_THAT(run("run first-look --dry-run --shard 0/60").out, HasSubstr("5 trials of 300"));
  const auto host = run("run first-look --machine host --set platform=native --dry-run");
  ASSERT_EQ(host.code, 0) << host.err;
  EXPECT_THAT(host.out, HasSubstr("on machine host"));
  // What a platform cannot do is left out, and said.
  const auto disk =
      run("run first-look --set workload=disk --set platform=native,xen-hvm,uml --machine host --dry-run");
  EXPECT_THAT(disk.out + disk.err, HasSubstr("left out"));
  EXPECT_TRUE(fs::is_empty(folder_));
}

// The cache has those of the first program, and nobody has those of the second.
TEST_F(Helps, DryRunNamesThePackagesOfPrograms) {
  const std::string set = "program-" + sha256_hex("own-hello").substr(0, 12);
  const std::string folder = set + "-" + sha256_hex("own-hello 1.0 f0\n").substr(0, 16);
  const fs::path packages = folder_ / "cache" / "packages";
  fs::create_directories(packages / folder);
  std::ofstream(packages / folder / "content.list") << "";
  std::ofstream(packages / (set + ".json"))
      << R"({"schema": 1, "directory": ")" << folder
      << R"(", "packages": [{"name": "own-hello", "version": "1.0", "sha256": "f0", "size_bytes": 1}]})";
  std::ofstream(folder_ / "two.toml") << R"(name = "two"
[factors]
platform = "native"
topology = "inside"
[[workload]]
name = "program"
packages = ["own-hello"]
client = "hello"
[[workload]]
name = "program"
packages = ["busybox-static"]
client = "busybox true"
[[workload]]
name = "program"
packages = ["no-such-package"]
client = "x"
)";
  const auto dry = run_program("cd " + folder_.string() +
                               " && VTAX_CACHE=$PWD/cache " VTAX_PROGRAM " run two.toml --dry-run");
  ASSERT_EQ(dry.code, 0) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("in the cache already: own-hello\n"));
  EXPECT_THAT(dry.out, testing::AnyOf(HasSubstr("is fetched first: busybox-static ("),
                                      HasSubstr("is missing here: packages busybox-static: ")));
  EXPECT_THAT(dry.out, HasSubstr("is missing here: packages no-such-package: "));
  EXPECT_FALSE(fs::exists(packages / ("program-" + sha256_hex("busybox-static").substr(0, 12) + ".json")));
}

TEST_F(Helps, SharesThatDoNotFitAreRefused) {
  EXPECT_THAT(run("run first-look --shard 4/4").err, HasSubstr("the first of four shares is 0/4"));
  EXPECT_THAT(run("run first-look --shard 0/1000").err, HasSubstr("it has 60 cells"));
}

TEST_F(Helps, OutMeansTheSameEverywhere) {
  for (const char* verb : {"run", "merge", "report", "top"}) {
    EXPECT_THAT(run(std::string("help ") + verb).out, HasSubstr("-o,--out")) << verb;
  }
}

TEST_F(Helps, SizesAndTimesAreReadAsPeopleWriteThem) {
  EXPECT_EQ(run("run first-look --set write_bytes=1500,64K,1M --dry-run").code, 0);
  EXPECT_THAT(run("top -d 5minutes -b -i 1").err, HasSubstr("-d 5min"));
}

TEST_F(Helps, ManualsAndCompletionsKnowEveryVerb) {
  ASSERT_EQ(run("describe manuals 2026-11-29").code, 0);
  for (const char* page : {"vtax", "vtax-run", "vtax-report", "vtax-lab-boot", "vtax-workload-http"}) {
    const std::string text = text_of(std::string("manuals/man1/") + page + ".1");
    EXPECT_THAT(text, StartsWith(std::string(".TH ") + page + " 1 2026-11-29")) << page;
    EXPECT_THAT(text, HasSubstr(".SH OPTIONS"));
  }
  EXPECT_THAT(text_of("manuals/man1/vtax-run.1"), HasSubstr("\\fB\\-\\-set\\fR \\fIFACTOR=VALUES\\fR"));
  // What is typed, and what bash then has.
  const auto completions = [&](const std::string& line) {
    return run_program("cd " + folder_.string() + " && bash -c '. manuals/vtax.bash; COMP_LINE=\"" + line +
                       "\" COMP_POINT=" + std::to_string(line.size()) +
                       "; _vtax; printf \"%s\\n\" \"${COMPREPLY[@]}\"'")
        .out;
  };
  EXPECT_EQ(completions("vtax rep"), "report\n");
  EXPECT_EQ(completions("vtax run first"), "first-app\nfirst-look\n");
  EXPECT_EQ(completions("vtax run first-look --res"), "--resume\n");
  EXPECT_EQ(completions("vtax run first-look --set offl"), "offloads=\n");
  EXPECT_EQ(completions("vtax run first-look --set platform=nat"), "native\n");
  EXPECT_EQ(completions("vtax run first-look --quick --set platform=kvm-"), "kvm-qemu\n");
  EXPECT_EQ(completions("vtax lab bo"), "boot\n");
  EXPECT_EQ(completions("vtax report a.vtax --format oth"), "\n");
  EXPECT_EQ(completions("vtax report a.vtax --format open"), "openmetrics\n");
  EXPECT_EQ(completions("vtax explain hyperc"), "hypercalls\n");
  EXPECT_EQ(completions("vtax list stu"), "studies\n");
}

}  // namespace
}  // namespace vtax
