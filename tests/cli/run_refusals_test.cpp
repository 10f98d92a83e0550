// What `vtax run` refuses before it touches a machine.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/program.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Refusal : public testing::Test {
 protected:
  Refusal() {
    std::string pattern = (fs::temp_directory_path() / "vtax-refusal-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~Refusal() override { fs::remove_all(folder_); }

  // An empty cache: whoever wanted a machine would have to ask for packages.
  [[nodiscard]] ProgramResult run(const std::string& arguments) const {
    return run_program("cd " + folder_.string() + " && VTAX_CACHE=" + folder_.string() +
                       "/cache " VTAX_PROGRAM " run " + arguments);
  }

  [[nodiscard]] ProgramResult study(const std::string& text) const {
    std::ofstream(folder_ / "study.toml") << text;
    auto result = run("study.toml");
    EXPECT_FALSE(fs::exists(folder_ / "cache")) << "it went on to the lab";
    for (const auto& entry : fs::directory_iterator(folder_))
      EXPECT_EQ(entry.path().filename(), "study.toml") << "it left a file behind";
    return result;
  }

  fs::path folder_;
};

struct BadStudy {
  const char* name;
  const char* text;
  const char* says;
};

class BadStudies : public Refusal, public testing::WithParamInterface<BadStudy> {};

TEST_P(BadStudies, AreExitCodeTwoWithAReason) {
  const auto result = study(GetParam().text);
  EXPECT_EQ(result.code, 2) << result.err;
  EXPECT_THAT(result.err, HasSubstr("study"));
  EXPECT_THAT(result.err, HasSubstr(GetParam().says));
  EXPECT_EQ(result.out, "");
}

constexpr const char* kHundredThousand = R"(name = "large"
repetitions = 1000
[factors]
platform = ["native", "container", "xen-pv"]
topology = ["inside", "card"]
offloads = ["on", "off"]
[[workload]]
name = "tcp-stream"
write_bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9]
)";

INSTANTIATE_TEST_SUITE_P(
    Inputs, BadStudies,
    testing::Values(
        BadStudy{"UnknownKey", "name = \"x\"\nplatfrom = 1\n[[workload]]\nname = \"tcp-rr\"\n", "platfrom"},
        BadStudy{"UnknownFactor",
                 "name = \"x\"\n[factors]\nplatfrom = \"native\"\n[[workload]]\nname = \"tcp-rr\"\n",
                 "platfrom"},
        BadStudy{"UnknownValue",
                 "name = \"x\"\n[factors]\nplatform = \"vmware\"\n[[workload]]\nname = \"tcp-rr\"\n",
                 "vmware"},
        BadStudy{"WrongType", "name = 7\n[[workload]]\nname = \"tcp-rr\"\n", "name"},
        BadStudy{"Impossible", "name = \"x\"\n[[workload]]\nname = \"tcp-rr\"\ntransactions = -5\n",
                 "transactions"},
        BadStudy{"NoWorkload", "name = \"x\"\n", "workload"},
        BadStudy{"TheSelfCheck", "name = \"x\"\n[[workload]]\nname = \"self-check\"\n", "self-check"},
        BadStudy{"NoToml", "]]]] what", "line 1"}, BadStudy{"Empty", "", "name"},
        BadStudy{"AHundredThousandCells", kHundredThousand, "10,000"}),
    [](const auto& one) { return one.param.name; });

// Before the first trial, and without a file that would stand in the way of the next attempt.
TEST_F(Refusal, OfOwnBuildsThatAreNone) {
  std::ofstream(folder_ / "notes.txt") << "This is no hypervisor.\n";
  std::filesystem::create_directory(folder_ / "empty");
  const auto refused = [&](const std::string& arguments, int code = 2) {
    for (const char* more : {"", " --resume"}) {
      const auto result = run("first-look " + arguments + more);
      EXPECT_EQ(result.code, code) << result.err;
      EXPECT_FALSE(fs::exists(folder_ / "cache")) << "it went on to the lab";
      EXPECT_FALSE(fs::exists(folder_ / "first-look.vtax")) << "it left a run file behind";
      if (*more != '\0') return result.err;
    }
    return std::string();
  };
  EXPECT_THAT(refused("--xen notes.txt"), HasSubstr("notes.txt"));
  EXPECT_THAT(refused("--kernel notes.txt --set platform=native"), HasSubstr("notes.txt"));
  EXPECT_THAT(refused("--modules empty"), HasSubstr("empty"));
  EXPECT_THAT(refused("--xen notes.txt --set platform=native,kvm"),
              HasSubstr("no platform of this run has Xen"));
  EXPECT_THAT(refused("--kernel notes.txt --machine host --set platform=native"),
              HasSubstr("this computer's own kernel"));
}

TEST_F(Refusal, OfOptionsOfAnEngineThatIsNotNamed) {
  for (const char* option : {"--tasks 3", "--partition short", "--option=--time=30"}) {
    const auto refused = run(std::string("first-look ") + option);
    EXPECT_EQ(refused.code, 2) << option;
    EXPECT_THAT(refused.err, HasSubstr("add --engine slurm")) << option;
  }
  const auto both = run("first-look --engine slurm --shard 0/2");
  EXPECT_EQ(both.code, 2);
  EXPECT_THAT(both.err, HasSubstr("cannot use --shard with --engine"));
}

TEST_F(Refusal, OfAStackWhoseFilesAreNotThere) {
  const auto refused = study(
      "name = \"s\"\nquestion = \"q\"\n[factors]\nplatform = \"native\"\nstack = \"mine\"\n"
      "[[workload]]\nname = \"tcp-rr\"\n[stack.mine]\nkernel = \"nowhere\"\n");
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("stack 'mine': cannot read nowhere"));
}

TEST_F(Refusal, NamesWhatPlatformsThereAre) {
  const auto result = run("first-look --set platform=xen");
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("`vtax list platforms` says what each is"));
}

TEST_F(Refusal, OfStudiesThatAreNoFiles) {
  EXPECT_EQ(run("nowhere.toml").code, 2);
  EXPECT_EQ(run(folder_.string()).code, 2);
  const auto misspelt = run("first-lok");
  EXPECT_EQ(misspelt.code, 2);
  EXPECT_THAT(misspelt.err, HasSubstr("first-look"));
}

// Whoever opened one to read would wait for its writer for ever.
TEST_F(Refusal, OfNamedPipesIsAtOnce) {
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  const std::string in =
      "cd " + folder_.string() + " && VTAX_CACHE=" + folder_.string() + "/cache timeout 10 " VTAX_PROGRAM " ";
  for (const char* arguments :
       {"run ./pipe", "run pipe --resume", "run first-look --out pipe --resume",
        "run first-look --set platform=native --kernel pipe",
        "run first-look --set platform=xen-pv --xen pipe", "report pipe", "compare pipe pipe",
        "report pipe --format terms --terms pipe", "workload tcp-rr 127.0.0.1 --token-file pipe",
        "workload server --bind 127.0.0.1 --token-file pipe", "workload disk --file pipe --use-existing"}) {
    const auto result = run_program(in + arguments);
    EXPECT_EQ(result.code, 2) << arguments << result.err;
    EXPECT_THAT(result.err, HasSubstr("pipe")) << arguments;
  }
  EXPECT_THAT(run("./pipe").err, HasSubstr("cannot read study file ./pipe: it is a named pipe, not a file"));
  EXPECT_THAT(run("/dev/zero").err, HasSubstr("it is a device, not a file"));
  EXPECT_THAT(run(".").err, HasSubstr("it is a directory"));
  EXPECT_THAT(run_program(VTAX_PROGRAM " report /").err, HasSubstr("it is a directory"));
}

TEST_F(Refusal, OfPlacesThatCannotBeWritten) {
  for (const char* out : {"/proc/x.vtax", "/nowhere/x.vtax"}) {
    const auto result = run(std::string("first-look --out ") + out);
    EXPECT_EQ(result.code, 5) << result.err;
    EXPECT_THAT(result.err, HasSubstr(out));
  }
  std::ofstream(folder_ / "there.vtax") << "something of value";
  const auto there = run("first-look --out there.vtax");
  EXPECT_EQ(there.code, 2) << there.err;
  EXPECT_THAT(there.err, HasSubstr("there.vtax"));
  EXPECT_EQ(fs::file_size(folder_ / "there.vtax"), 18U);
  EXPECT_FALSE(fs::exists(folder_ / "cache"));
}

}  // namespace
}  // namespace vtax
