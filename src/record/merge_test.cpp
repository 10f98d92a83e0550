#include "record/merge.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "core/sha256.h"
#include "record/run_header.h"
#include "record/testing/run_file_fixture.h"

namespace vtax {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class Merging : public RunFile {
 protected:
  static vtax::Run known_run() {
    vtax::Run run = synthetic_run();
    set(run, "made_from", {{"vtax", "0123"}, {"own kernel", "4567"}});
    return run;
  }

  static void set(vtax::Run& run, const char* key, const nlohmann::json& value) {
    auto settings = nlohmann::json::parse(run.settings);
    settings[key] = value;
    run.settings = settings.dump();
  }

  // Those trials of `run` that `wanted` takes.
  template <class Wanted>
  fs::path part(const std::string& name, const vtax::Run& run, const Wanted& wanted) const {
    const fs::path file = folder_ / name;
    auto writer = RunWriter::create(file, run);
    EXPECT_TRUE(writer) << writer.error().text();
    for (const Trial& trial : run.trials) {
      if (!wanted(trial)) continue;
      EXPECT_TRUE(writer->append(trial));
    }
    return file;
  }

  fs::path share(vtax::Run run, std::uint64_t number, std::uint64_t of) const {
    set(run, kShard, std::to_string(number) + "/" + std::to_string(of));
    run.started_utc = "2026-11-29T00:00:0" + std::to_string(number % 10) + "Z";
    return part(std::to_string(number) + ".vtax", run,
                [&](const Trial& trial) { return trial.index % of == number; });
  }

  static std::string digest_of(const vtax::Run& run) {
    std::string all;
    for (const Trial& trial : run.trials) all += trial.error.empty() ? trial.digest : "";
    return sha256_hex(all);
  }

  static std::string refusal(const std::vector<fs::path>& files, const fs::path& out) {
    const auto merged = merge_runs(files, out, Incomplete::kept);
    EXPECT_FALSE(merged);
    EXPECT_FALSE(fs::exists(out));
    EXPECT_FALSE(fs::exists(out.string() + ".partial"));
    return merged ? "" : merged.error().text();
  }

  [[nodiscard]] fs::path out() const { return folder_ / "out.vtax"; }
};

// However a run is divided among files, in whatever order they are given, with trials in several of them: the
// merged one has each trial once, as it was.
TEST_F(Merging, GivesBackTheRunHoweverItWasDivided) {
  std::mt19937 random(20261129);
  for (int round = 0; round < 9; ++round) {
    vtax::Run run = known_run();
    if (round % 3 == 1) make_failed(run.trials[random() % run.trials.size()], "the guest hung");
    std::uniform_int_distribution<std::size_t> count(1, 7);
    const std::size_t shares = count(random);
    std::vector<std::set<std::uint64_t>> dealt(shares);
    for (const Trial& trial : run.trials) {
      dealt[random() % shares].insert(trial.index);
      if (random() % 4 == 0) dealt[random() % shares].insert(trial.index);
    }
    std::vector<fs::path> files;
    for (std::size_t i = 0; i < shares; ++i)
      files.push_back(part(std::to_string(round) + "-" + std::to_string(i), run,
                           [&](const Trial& trial) { return dealt[i].contains(trial.index); }));
    std::shuffle(files.begin(), files.end(), random);
    const fs::path file = folder_ / ("merged-" + std::to_string(round));
    const auto merged = merge_runs(files, file, Incomplete::refused);
    ASSERT_TRUE(merged) << merged.error().text();
    EXPECT_EQ(merged->digest, digest_of(run));
    EXPECT_EQ(merged->failed, round % 3 == 1 ? 1U : 0U);
    const auto read = RunReader::open(file)->all();
    ASSERT_TRUE(read);
    ASSERT_EQ(read->trials.size(), run.trials.size());
    for (std::size_t i = 0; i < run.trials.size(); ++i) {
      EXPECT_EQ(read->trials[i].digest, run.trials[i].error.empty() ? run.trials[i].digest : "");
      EXPECT_EQ(read->trials[i].provenance, run.trials[i].provenance);
      EXPECT_EQ(read->trials[i].ledger,
                run.trials[i].error.empty() ? run.trials[i].ledger : std::vector<LedgerEntry>());
      EXPECT_EQ(read->trials[i].functions.size(),
                run.trials[i].error.empty() ? run.trials[i].functions.size() : 0);
    }
  }
}

TEST_F(Merging, KeepsWhereEachShareCameFrom) {
  vtax::Run run = known_run();
  std::vector<fs::path> files;
  for (const std::uint64_t number : {2U, 0U, 1U}) files.push_back(share(run, number, 3));
  ASSERT_TRUE(merge_runs(files, out(), Incomplete::refused));
  const vtax::Run header = RunReader::open(out())->header();
  EXPECT_EQ(header.started_utc, "2026-11-29T00:00:00Z");
  const auto settings = nlohmann::json::parse(header.settings);
  EXPECT_FALSE(settings.contains(kShard));
  ASSERT_EQ(settings.at(kMergedFrom).size(), 3U);
  EXPECT_EQ(settings.at(kMergedFrom)[0].at("shard"), "2/3");
  EXPECT_EQ(settings.at(kMergedFrom)[0].at("trials"), 20);
  EXPECT_EQ(settings.at(kMergedFrom)[1].at("machine"), nlohmann::json::parse(run.machine));
  // One process can go on with it, and it can be merged again.
  EXPECT_EQ(resume_differences(header, run), "");
  ASSERT_TRUE(merge_runs({out()}, folder_ / "again.vtax", Incomplete::refused));
  EXPECT_EQ(nlohmann::json::parse(RunReader::open(folder_ / "again.vtax")->header().settings), settings);
}

TEST_F(Merging, WhatIsMissingIsSaid) {
  const vtax::Run run = known_run();
  const std::vector<fs::path> files = {share(run, 0, 4), share(run, 3, 4)};
  const auto refused = merge_runs(files, out(), Incomplete::refused);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ExitCode::trial_failed);
  EXPECT_THAT(refused.error().text(),
              HasSubstr("30 of 60 trials are missing (2 to 3, 6 to 7, 10 to 11, 14 to 15, 18 to "
                        "19, ...); no file of share 1/4, 2/4"));
  EXPECT_FALSE(fs::exists(out()));
  const auto kept = merge_runs(files, out(), Incomplete::kept);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->missing.size(), 30U);
  EXPECT_EQ(RunReader::open(out())->header().planned_trials, 60U);
}

TEST_F(Merging, RefusesWhatDoesNotBelongTogetherAndNamesIt) {
  const vtax::Run run = known_run();
  const fs::path one = share(run, 0, 2);
  const auto other = [&](const std::function<void(vtax::Run&)>& change) {
    fs::remove(folder_ / "1.vtax");
    vtax::Run changed = run;
    change(changed);
    return refusal({one, share(changed, 1, 2)}, out());
  };
  EXPECT_THAT(other([](vtax::Run& r) { r.study = "another"; }), HasSubstr("study: "));
  EXPECT_THAT(other([](vtax::Run& r) { r.vtax_version = "9"; }), HasSubstr("vtax's version: "));
  EXPECT_THAT(other([](vtax::Run& r) { r.planned_trials = 61; }), HasSubstr("number of trials: "));
  EXPECT_THAT(other([](vtax::Run& r) { set(r, "repetitions", 7); }), HasSubstr("/repetitions: "));
  EXPECT_THAT(other([](vtax::Run& r) {
                set(r, "made_from", {{"vtax", "0123"}, {"own kernel", "89"}});
              }),
              HasSubstr("own kernel: " + one.string() + " has \"4567\""));
  EXPECT_THAT(other([](vtax::Run& r) {
                auto settings = nlohmann::json::parse(r.settings);
                settings.erase("made_from");
                r.settings = settings.dump();
              }),
              HasSubstr("does not say what it was made from"));
}

// In the lab the counts are the same on every computer, times are not.
TEST_F(Merging, ComputersMayDifferInTheLabAlone) {
  vtax::Run run = known_run();
  const auto merge = [&](const char* machine) {
    set(run, "machine", machine);
    vtax::Run other = run;
    other.machine = R"({"computer": "another", "cpus": 64})";
    for (const char* name : {"0.vtax", "1.vtax", "out.vtax"}) fs::remove(folder_ / name);
    return merge_runs({share(run, 0, 2), share(other, 1, 2)}, out(), Incomplete::refused);
  };
  EXPECT_TRUE(merge("lab"));
  const auto refused = merge("host");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), HasSubstr("computer: "));
}

TEST_F(Merging, ATrialThatEndedInTwoWaysIsRefused) {
  const auto all = [](const Trial&) { return true; };
  vtax::Run run = known_run();
  const fs::path a = part("a.vtax", run, all);
  run.trials[7].digest[0] = run.trials[7].digest[0] == '0' ? '1' : '0';
  const fs::path b = part("b.vtax", run, all);
  EXPECT_THAT(refusal({a, b}, out()), HasSubstr("trial 8 ended differently in " + a.string()));
}

TEST_F(Merging, ATrialThatEndedGoesBeforeOneThatFailed) {
  const auto all = [](const Trial&) { return true; };
  const vtax::Run run = known_run();
  vtax::Run with_failure = run;
  make_failed(with_failure.trials[7], "the guest hung");
  const fs::path good = part("good.vtax", run, all), bad = part("bad.vtax", with_failure, all);
  for (const auto& files : {std::vector{good, bad}, std::vector{bad, good}}) {
    fs::remove(out());
    const auto merged = merge_runs(files, out(), Incomplete::refused);
    ASSERT_TRUE(merged) << merged.error().text();
    EXPECT_EQ(merged->failed, 0U);
    EXPECT_EQ(merged->digest, digest_of(run));
  }
}

TEST_F(Merging, NothingIsOverwritten) {
  const fs::path one = share(known_run(), 0, 1);
  const auto refused = merge_runs({one}, one, Incomplete::kept);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), HasSubstr("it is there already"));
}

}  // namespace
}  // namespace vtax
