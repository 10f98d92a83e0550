#include "study/study.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "study/find_study.h"

namespace vtax {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kWorkload = "[[workload]]\nname = \"tcp-rr\"\n";

std::string error_of(const std::string& text) {
  const auto study = parse_study(text, "s.toml");
  return study ? "no error" : study.error().text();
}

TEST(Study, ValuesBecomeCanonicalAndDefaultsAreFilledIn) {
  const auto study = parse_study(R"(
name = "mine"
[factors]
platform = ["native", "xen-pv"]
offloads = "off"
[[workload]]
name = "tcp-stream"
bytes = "8 MiB"
write_bytes = [1448, "64 KiB"]
)",
                                 "s.toml");
  ASSERT_TRUE(study) << study.error().text();
  EXPECT_EQ(study->machine, "lab");
  EXPECT_EQ(study->repetitions, std::nullopt);
  EXPECT_EQ(repetitions_of(*study), 5);
  EXPECT_THAT(study->factors.at("platform"), ElementsAre("native", "xen-pv"));
  EXPECT_THAT(study->factors.at("topology"), ElementsAre("card"));
  EXPECT_THAT(study->factors.at("offloads"), ElementsAre("off"));
  const FactorValues& stream = study->workloads.at(0).factors;
  EXPECT_THAT(stream.at("bytes"), ElementsAre("8388608"));
  EXPECT_THAT(stream.at("write_bytes"), ElementsAre("1448", "65536"));
  EXPECT_THAT(stream.at("warmup_bytes"), ElementsAre("1048576"));
}

struct Wrong {
  const char* name;
  const char* text;
  const char* error;
};

class WrongStudy : public testing::TestWithParam<Wrong> {};

TEST_P(WrongStudy, SaysWhereWhatAndWhatIsAllowed) {
  EXPECT_THAT(error_of(GetParam().text), HasSubstr(GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, WrongStudy,
    testing::Values(
        Wrong{"Empty", "", "s.toml: key 'name' is missing"},
        Wrong{"NoWorkload", "name = \"a\"\n", "no workload is named"},
        Wrong{"UnknownKey", "name = \"a\"\nquestoin = \"b\"\n",
              "line 2, column 1: unknown key 'questoin'\n  did you mean 'question'?"},
        Wrong{"SpeedIsNoTable", "name = \"a\"\nspeed = 3\n", "'speed' must be a table"},
        Wrong{"SpeedOfNoCpu", "name = \"a\"\n[speed]\nlink_mbps = 1000\n",
              "line 2, column 1: [speed] does not say how quick a CPU is"},
        Wrong{"SpeedTwice", "name = \"a\"\n[speed]\ncpu_mips = 1000\nrate = 5\n", "gives the CPU twice"},
        Wrong{"SpeedOutOfRange", "name = \"a\"\n[speed]\ncpu_mips = -1\n",
              "line 3, column 12: 'cpu_mips' is a number from 1 to 1000000"},
        Wrong{"SpeedNotANumber", "name = \"a\"\n[speed]\ncpu_mips = nan\n", "'cpu_mips' is a number"},
        Wrong{"SpeedsUnknownKey", "name = \"a\"\n[speed]\ncpu_misp = 1\n", "did you mean 'cpu_mips'?"},
        Wrong{"SpeedsCellWithoutWorkload", "name = \"a\"\n[speed]\nof = { platform = \"native\" }\n",
              "'of' names no workload"},
        Wrong{"SpeedsUnknownFactor",
              "name = \"a\"\n[speed]\nof = { platfrom = \"native\", workload = \"tcp-rr\" }\n",
              "did you mean 'platform'?"},
        Wrong{"BlocksCommonFactor", "name = \"a\"\n[[workload]]\nname = \"tcp-rr\"\nguests = 100\n",
              "'100' is out of range"},
        Wrong{"FactorAtTheTop", "name = \"a\"\nplatform = \"native\"\n",
              "'platform' belongs under [factors]"},
        Wrong{"WorkloadFactorUnderFactors", "name = \"a\"\n[factors]\nbytes = 5\n",
              "line 3, column 1: unknown factor 'bytes'\n  'bytes' belongs under the [[workload]] with name "
              "= \"tcp-stream\""},
        Wrong{"UnknownFactor", "name = \"a\"\n[factors]\nplatfrom = \"native\"\n",
              "line 3, column 1: unknown factor 'platfrom'\n  did you mean 'platform'?"},
        Wrong{"UnknownValue", "name = \"a\"\n[factors]\nplatform = [\"native\", \"xen\"]\n",
              "line 3, column 23: 'xen' is not a value of 'platform'\n  allowed: native, container, xen-pv"},
        Wrong{"NearValue", "name = \"a\"\n[factors]\nplatform = \"xenpv\"\n", "did you mean 'xen-pv'?"},
        Wrong{"WrongType", "name = \"a\"\n[factors]\noffloads = true\n",
              "a value of 'offloads' cannot be true or false\n  allowed: on, off (in quotes)"},
        Wrong{"NestedArray", "name = \"a\"\n[factors]\noffloads = [[\"on\"]]\n", "cannot be an array"},
        Wrong{"NoValue", "name = \"a\"\n[factors]\noffloads = []\n", "'offloads' has no value"},
        Wrong{"FactorsNoTable", "name = \"a\"\nfactors = 3\n",
              "'factors' must be a table, not a whole number"},
        Wrong{"NameNoText", "name = 3\n", "'name' must be text, not a whole number"},
        Wrong{"NameEmpty", "name = \"\"\n", "'name' is empty"},
        Wrong{"NameCommandsTheTerminal", "name = \"\\u001b[31m\"\n", "'name' holds control characters"},
        Wrong{"Machine", "name = \"a\"\nmachine = \"labb\"\n",
              "'labb' is not a machine\n  did you mean 'lab'?"},
        Wrong{"RepetitionsZero", "name = \"a\"\nrepetitions = 0\n", "whole number from 1 to 1000"},
        Wrong{"RepetitionsMany", "name = \"a\"\nrepetitions = 1001\n", "whole number from 1 to 1000"},
        Wrong{"RepetitionsText", "name = \"a\"\nrepetitions = \"3\"\n", "whole number from 1 to 1000"},
        Wrong{"OneBracket", "name = \"a\"\n[workload]\nname = \"tcp-rr\"\n",
              "write [[workload]], with two brackets"},
        Wrong{"WorkloadNoTable", "name = \"a\"\nworkload = [1]\n", "a workload must be a table"},
        Wrong{"WorkloadNoName", "name = \"a\"\n[[workload]]\nbytes = 3\n", "this [[workload]] has no name"},
        Wrong{"WorkloadUnknown", "name = \"a\"\n[[workload]]\nname = \"tcp-steam\"\n",
              "did you mean 'tcp-stream'?"},
        Wrong{"Negative", "name = \"a\"\n[[workload]]\nname = \"tcp-rr\"\ntransactions = -1\n",
              "is not a value"},
        Wrong{"TooSmall", "name = \"a\"\n[[workload]]\nname = \"tcp-rr\"\ntransactions = 0\n",
              "'0' is out of range for 'transactions'\n  allowed: 1 to 100000000"},
        Wrong{"Fraction", "name = \"a\"\n[[workload]]\nname = \"tcp-rr\"\ntransactions = 1.5\n",
              "cannot be a number with a point"},
        Wrong{"TwoMeaningUnit", "name = \"a\"\n[[workload]]\nname = \"tcp-stream\"\nbytes = \"64 KB\"\n",
              "units: B, KiB, MiB, GiB, or K, M, G"},
        Wrong{"SizeOverflows",
              "name = \"a\"\n[[workload]]\nname = \"tcp-stream\"\nbytes = \"18446744073709551615 GiB\"\n",
              "out of range for 'bytes'\n  allowed: 1 B to 16 GiB"},
        Wrong{"NumberOverflows",
              "name = \"a\"\n[[workload]]\nname = \"tcp-stream\"\nbytes = \"99999999999999999999\"\n",
              "out of range"},
        Wrong{"NotToml", "name = \n", "line 1, column"},
        Wrong{"KeyTwice", "name = \"a\"\nname = \"b\"\n", "line 2"},
        Wrong{"NotText", "\xff\xfe", "not UTF-8"}),
    [](const auto& tested) { return tested.param.name; });

TEST(Study, AListOfWordsIsOneValueAndTextMayHaveCommas) {
  const auto study = parse_study(R"(
name = "mine"
[[workload]]
name = "program"
packages = ["redis-server", "redis-tools"]
server = ["redis-server --save ''", "redis-server --save '60 1, 2'"]
client = "redis-benchmark -h {server}"
operations = 2000
)",
                                 "s.toml");
  ASSERT_TRUE(study) << study.error().text();
  const StudyWorkload& workload = study->workloads.front();
  EXPECT_THAT(workload.factors.at("packages"), ElementsAre("redis-server redis-tools"));
  EXPECT_THAT(workload.factors.at("server"),
              ElementsAre("redis-server --save ''", "redis-server --save '60 1, 2'"));
  EXPECT_THAT(workload.factors.at("operations"), ElementsAre("2000"));
  EXPECT_THAT(error_of("name = \"s\"\n[[workload]]\nname = \"program\"\npackages = [\"two words\"]\n"),
              AllOf(HasSubstr("line 4"), HasSubstr("single words")));
}

TEST(Study, HostileTomlEndsInAnError) {
  std::string deep;
  for (int i = 0; i < 200'000; ++i) deep += "a.";
  EXPECT_THAT(error_of(deep + "a = 1"), HasSubstr("longer than 4096 bytes"));
  EXPECT_THAT(error_of("a = " + std::string(4000, '[')), HasSubstr("cannot read"));
  EXPECT_THAT(error_of("[?a]\n"), HasSubstr("line 1, column"));
  std::string dotted;
  for (int i = 0; i < 2000; ++i) dotted += "a.";
  EXPECT_THAT(error_of("[" + dotted + "a]\n" + dotted + "a = 1\n"), HasSubstr("unknown key 'a'"));
  std::string inline_tables;
  for (int i = 0; i < 500; ++i) inline_tables += "{a=";
  EXPECT_THAT(error_of("a = " + inline_tables), HasSubstr("cannot read"));
  EXPECT_THAT(error_of(std::string((1U << 20U) + 1, '#')), HasSubstr("larger than 1 MiB"));
  EXPECT_THAT(error_of(std::string("name = \"a\0b\"", 12)), HasSubstr("not UTF-8 text"));
  EXPECT_THAT(error_of("name = \"a\"\n\"" + std::string(3000, 'x') + "\" = 1\n").size(), testing::Lt(300U));
}

TEST(Study, APathToPublishedClaimsIsSeenFromTheFile) {
  const std::string rest = "\n[[workload]]\nname = \"tcp-rr\"\n";
  EXPECT_EQ(parse_study("name = \"a\"\npublished = \"primet-2007\"" + rest, "a")->published, "primet-2007");
  EXPECT_EQ(parse_study("name = \"a\"" + rest, "a")->published, "");
  const auto folder = std::filesystem::path(testing::TempDir()) / "vtax-study-published";
  std::filesystem::create_directories(folder);
  const auto file = folder / "a.toml";
  std::ofstream(file) << "name = \"a\"\npublished = \"mine.toml\"" + rest;
  EXPECT_EQ(read_study(file)->published, (folder / "mine.toml").string());
  std::filesystem::remove_all(folder);
}

TEST(Study, FilesThatCannotBeRead) {
  EXPECT_THAT(read_study("/nowhere/s.toml").error().text(),
              AllOf(HasSubstr("No such file"), HasSubstr("vtax list")));
  EXPECT_THAT(read_study("/").error().text(), HasSubstr("directory"));
  EXPECT_THAT(read_study("/dev/zero").error().text(), HasSubstr("it is a device, not a file"));
}

TEST(FindStudy, KnowsWhatComesWithVtax) {
  EXPECT_THAT(built_in_studies(), testing::Contains("first-look"));
  const auto study = find_study("first-look");
  ASSERT_TRUE(study) << study.error().text();
  EXPECT_EQ(study->name, "first-look");
  EXPECT_THAT(find_study("first-lok").error().text(), HasSubstr("did you mean 'first-look'?"));
  EXPECT_THAT(find_study("missing.toml").error().text(), HasSubstr("No such file"));
}

}  // namespace
}  // namespace vtax
