#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "query/testing/run_on_disk.h"
#include "record/testing/synthetic_run.h"
#include "tests/program.h"

namespace vtax {
namespace {

using testing::HasSubstr;

ProgramResult ask_for(const std::string& arguments) {
  return run_program(VTAX_PROGRAM " " + arguments);
}

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

class AdviceOfTheProgram : public testing::Test {
 protected:
  AdviceOfTheProgram() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~AdviceOfTheProgram() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }

  std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / "vtax-advise-program";
};

TEST_F(AdviceOfTheProgram, IsAPageAStudyAndFilesThatNobodyRan) {
  const std::string study = (folder_ / "check.toml").string(), setup = (folder_ / "setup").string();
  const auto told = ask_for("advise web-box --study " + study + " --write " + setup);
  ASSERT_EQ(told.code, 0) << told.err;
  EXPECT_THAT(told.out, HasSubstr("placements hold what must"));
  EXPECT_THAT(told.out, HasSubstr("1. kvm, offloads on"));
  EXPECT_THAT(told.out, HasSubstr("rests on"));
  EXPECT_THAT(told.err, HasSubstr("nothing of it was run"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "setup" / "files.xml"));
  EXPECT_THAT(content_of(folder_ / "setup" / "set.sh"), HasSubstr("ethtool -K eth0 tso on"));
  EXPECT_EQ(ask_for("advise web-box --write " + setup).code, 2);  // not over what is there
  const auto planned = ask_for("run " + study + " --dry-run");
  EXPECT_EQ(planned.code, 0) << planned.err;
  const auto json = nlohmann::json::parse(ask_for("advise web-box --json").out);
  EXPECT_EQ(json.at("placements"), 18);
  EXPECT_GT(json.at("holds")[0].at("cpus").at("high"), json.at("holds")[0].at("cpus").at("low"));
}

TEST_F(AdviceOfTheProgram, SaysWhichLimitIsInTheWay) {
  std::string text = content_of(VTAX_SOURCE_DIR "/servers/web-box.toml");
  text.replace(text.find("rate = 150"), 10, "rate = 900");
  const auto told = ask_for("advise " + file("more.toml", text));
  EXPECT_EQ(told.code, 1) << told.err;
  EXPECT_THAT(told.out, HasSubstr("No placement holds what must"));
  EXPECT_THAT(told.out, HasSubstr("the wire, sending would be 10"));
  EXPECT_THAT(told.out, HasSubstr("times too much"));
}

TEST_F(AdviceOfTheProgram, IsCheckedByARun) {
  const RunOnDisk run(synthetic_run());
  const std::string server = file("box.toml", R"(
name = "box"
[server]
cpus = 4
cpu_mips = 500
platforms = ["native", "xen-pv"]
[choose]
offloads = ["on", "off"]
[[application]]
name = "files"
workload = "tcp-stream"
rate = 10
write_bytes = 1448
)");
  const auto unmeasured = ask_for("advise " + server + " --check " + run.file().string());
  EXPECT_EQ(unmeasured.code, 2);
  EXPECT_THAT(unmeasured.err, HasSubstr("the run has the cells of 0 of its placements"));
}

TEST_F(AdviceOfTheProgram, RefusesWhatItCannotUse) {
  const auto is_refused = [](const std::string& arguments, const std::string& why) {
    const auto told = ask_for("advise " + arguments);
    EXPECT_EQ(told.code, 2) << arguments;
    EXPECT_THAT(told.err, HasSubstr(why)) << arguments;
    EXPECT_EQ(told.out, "") << arguments;
  };
  is_refused("", "no server is named");
  is_refused("web-bax", "did you mean 'web-box'");
  is_refused("/nowhere.toml", "cannot read the server file");
  is_refused(file("a.toml", "name = \"a\"\nservers = 1\n"), "did you mean 'server'");
  is_refused("web-box --model /nowhere.model", "cannot read the model");
  is_refused("web-box --check a.vtax --study b.toml", "it judges advice and gives none");
  is_refused("web-box --what-if guests=+1", "cannot use --what-if without --from");
  is_refused("--from /nowhere.vtax", "does not say what would be different");
  is_refused("--from /nowhere.vtax --what-if guests=1", "guests that come are +1");
  is_refused("--from /nowhere.vtax --what-if guests=+1", "nowhere.vtax");
}

TEST_F(AdviceOfTheProgram, WhatIfOfARecordingOfThisComputer) {
  const std::string recording = (folder_ / "now.vtax").string();
  const auto watched = ask_for("top --out " + recording + " -d 0.2 -i 2");
  if (watched.code != 0) GTEST_SKIP() << watched.err;
  const auto told = ask_for("advise --from " + recording + " --what-if guests=+1");
  // Where nothing runs that is a guest, that is what it says.
  if (told.code == 0)
    EXPECT_THAT(told.out, HasSubstr("by the utilisation law from 2 readings"));
  else
    EXPECT_THAT(told.err, HasSubstr("the recording has no guest"));
}

class PricesOfTheProgram : public AdviceOfTheProgram {};

TEST_F(PricesOfTheProgram, AreMeasuredAndMakeAnEstimate) {
  const std::string prices = (folder_ / "mine.toml").string();
  const auto measured = ask_for("prices measure -o " + prices);
  ASSERT_EQ(measured.code, 0) << measured.err;
  EXPECT_THAT(measured.out, HasSubstr("not known: vm exits"));
  const RunOnDisk run(synthetic_run());
  const auto estimate = ask_for("report " + run.file().string() + " --prices " + prices);
  ASSERT_EQ(estimate.code, 0) << estimate.err;
  EXPECT_THAT(estimate.out, HasSubstr("An estimate, not a measurement"));
  EXPECT_EQ(ask_for("report " + run.file().string() + " --prices " + prices + " --format json").code, 2);
  const auto wrong =
      ask_for("report " + run.file().string() + " --prices " + file("b.toml", "vtax_prices = 9\n"));
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("its version is 9"));
}

}  // namespace
}  // namespace vtax
