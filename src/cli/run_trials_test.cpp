#include "cli/run_trials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "record/run_reader.h"
#include "record/testing/synthetic_run.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;

// A machine whose second trial fails, and whose xen-pv cannot be made.
class SmallMachine : public Machine {
 public:
  Result<> check(const std::vector<Trial>&) const override { return {}; }
  Result<std::string> identify(const std::vector<Trial>&, const OnStep&) override { return "{}"; }
  int at_once() const override { return 1; }

  Result<> run(std::vector<Trial> trials, const MachineEvents& events) override {
    std::vector<Trial> unmade;
    for (Trial& trial : trials) {
      if (trial.factors["platform"] == "xen-pv") {
        unmade.push_back(std::move(trial));
        continue;
      }
      events.on_start(trial);
      Trial done = synthetic_trial(trial.index, trial.factors);
      if (trial.index == 1) make_failed(done, "it broke");
      if (auto kept = events.on_finished(std::move(done)); !kept) return kept;
    }
    return leave_untried(std::move(unmade), {"cannot boot", "no Xen", ""}, events.on_not_tried,
                         events.on_finished);
  }
};

std::vector<Trial> trials_on(std::initializer_list<const char*> platforms) {
  std::vector<Trial> trials;
  for (const char* platform : platforms) {
    Trial trial;
    trial.index = trials.size();
    trial.factors = synthetic_run().trials.front().factors;
    trial.factors["platform"] = platform;
    trials.push_back(std::move(trial));
  }
  return trials;
}

class RunTrials : public testing::Test {
 protected:
  RunTrials() : folder_(testing::TempDir() + "/vtax-run-trials-XXXXXX") {
    folder_ = ::mkdtemp(folder_.data());
  }
  ~RunTrials() override { fs::remove_all(folder_); }

  fs::path file() const { return fs::path(folder_) / "run.vtax"; }

  std::string folder_;
};

TEST_F(RunTrials, WhatAnyMachineHandsOverIsInTheFile) {
  auto into = RunWriter::create(file(), synthetic_header());
  ASSERT_TRUE(into) << into.error().text();
  SmallMachine machine;
  TrialsKept kept;
  const auto ran = run_trials(trials_on({"native", "native", "xen-pv", "xen-pv"}), Plan(), machine,
                              {"a note"}, *into, kept);
  into->close();
  ASSERT_TRUE(ran) << ran.error().text();
  EXPECT_EQ(kept.all, 4U);
  EXPECT_EQ(kept.failed, 3U);
  auto reader = RunReader::open(file());
  ASSERT_TRUE(reader) << reader.error().text();
  std::vector<std::string> errors;
  ASSERT_TRUE(reader->for_each(RunReader::Detail::costs, [&](const Trial& trial) -> Result<> {
    errors.push_back(trial.error);
    return {};
  }));
  using testing::HasSubstr;
  EXPECT_THAT(errors, testing::ElementsAre("", "it broke", HasSubstr("not tried"), HasSubstr("no Xen")));
}

TEST_F(RunTrials, WhatCannotBeWrittenEndsTheRunAndWhatWasKeptIsSaid) {
  auto into = RunWriter::create(file(), synthetic_header());
  ASSERT_TRUE(into) << into.error().text();
  SmallMachine machine;
  TrialsKept kept;
  auto twice = trials_on({"native", "container"});
  twice[1].index = 0;  // a place that has its trial already
  EXPECT_FALSE(run_trials(std::move(twice), Plan(), machine, {}, *into, kept));
  EXPECT_EQ(kept.all, 1U);
}

}  // namespace
}  // namespace vtax
