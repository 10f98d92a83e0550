#include "cli/begun_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "record/run_header.h"
#include "record/run_writer.h"
#include "study/plan.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStudy = R"(name = "quick-cpu"
question = "?"
[speed]
link_mbps = 1000
cpu_percent = 30
rate = 900
of = { platform = "native", workload = "tcp-stream", direction = "send" }
[factors]
platform = "native"
[[workload]]
name = "tcp-rr"
)";

class BegunRun : public testing::Test {
 protected:
  BegunRun() : folder_(testing::TempDir() + "/vtax-begun-run-XXXXXX") { folder_ = ::mkdtemp(folder_.data()); }
  ~BegunRun() override { fs::remove_all(folder_); }

  fs::path file(const char* name) const { return fs::path(folder_) / name; }

  static Study study() {
    auto read = parse_study(kStudy, "quick-cpu");
    EXPECT_TRUE(read) << read.error().text();
    return read.value_or(Study());
  }

  // A run whose speed was found to be 1234 MIPS.
  void begin(const fs::path& out, const RunOptions& options) const {
    Study found = study();
    found.factors["cpu_mips"] = {"1234"};
    found.factors["link_mbps"] = {"1000"};
    const auto plan = make_plan(found, {});
    ASSERT_TRUE(plan) << plan.error().text();
    vtax::Run header;
    header.study = found.name;
    header.study_source = found.source;
    auto settings = effective_settings(*plan);
    settings[kAskedFor] = asked_for(options);
    header.settings = settings.dump();
    header.machine = "{}";
    header.planned_trials = plan->trials.size();
    ASSERT_TRUE(RunWriter::create(out, header));
  }

  std::string folder_;
};

TEST_F(BegunRun, AFileIsARunByWhatIsInIt) {
  begin(file("run"), {});
  begin(file("run.toml"), {});
  std::ofstream(file("study.vtax")) << kStudy;
  std::ofstream(file("short")) << "S";
  RunOptions options;
  const auto is_run = [&](const fs::path& named) {
    options.study = named.string();
    return is_run_file(options);
  };
  EXPECT_FALSE(is_run(file("run"))) << "nothing goes on";
  options.resume = true;
  EXPECT_TRUE(is_run(file("run")));
  EXPECT_TRUE(is_run(file("run.toml")));
  EXPECT_FALSE(is_run(file("study.vtax")));
  EXPECT_FALSE(is_run(file("short")));
  EXPECT_FALSE(is_run("first-look"));
  EXPECT_TRUE(is_run(file("absent.vtax")));
}

TEST_F(BegunRun, GoesOnAtTheSpeedThatItHas) {
  begin(file("run.vtax"), {});
  Study again = study();
  ASSERT_TRUE(take_speed(again, {}, file("run.vtax")));
  EXPECT_THAT(again.factors["cpu_mips"], testing::ElementsAre("1234"));
  EXPECT_THAT(again.factors["link_mbps"], testing::ElementsAre("1000"));
}

TEST_F(BegunRun, TakesNoSpeedOfAnotherRun) {
  RunOptions other;
  other.set = {"transactions=20"};
  begin(file("run.vtax"), other);
  Study again = study();
  EXPECT_FALSE(take_speed(again, {}, file("run.vtax")));
  EXPECT_FALSE(take_speed(again, {}, file("absent.vtax")));
  again.speed->rate = 800;
  EXPECT_FALSE(take_speed(again, other, file("run.vtax")));
  EXPECT_THAT(again.factors["cpu_mips"], testing::ElementsAre("500"));
}

}  // namespace
}  // namespace vtax
