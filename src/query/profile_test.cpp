#include "query/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <regex>
#include <sstream>

#include "core/readable.h"
#include "query/testing/run_on_disk.h"
#include "record/testing/synthetic_run.h"
#include "tests/golden.h"

namespace vtax {
namespace {

using testing::HasSubstr;

Result<Profile> profile_of(const Run& run, std::optional<std::uint64_t> trial) {
  const RunOnDisk disk(run);
  auto reader = disk.reader();
  return read_profile(reader, trial);
}

std::string text_of(const Profile& profile, void (*write)(const Profile&, std::ostream&)) {
  std::ostringstream out;
  write(profile, out);
  return out.str();
}

TEST(Profile, TableIsAsItWas) {
  expect_golden(text_of(profile_of(synthetic_run(), 57).value(), write_profile_table), "profile.txt");
}

TEST(Profile, FoldedIsAsItWas) {
  expect_golden(text_of(profile_of(synthetic_run(), 57).value(), write_folded), "profile.folded");
}

TEST(Profile, SumsRepetitionsOfOneCombination) {
  auto run = synthetic_run();
  run.trials = {run.trials[0], run.trials[0]};
  run.trials[1].index = 1;
  run.trials[1].repetition = 2;
  const auto profile = profile_of(run, {});
  ASSERT_TRUE(profile) << profile.error().text();
  EXPECT_EQ(profile->total, 2 * run.trials[0].machine_total.value);
  EXPECT_EQ(profile->functions.size(), run.trials[0].functions.size());
}

TEST(Profile, WhatCannotBeProfiledIsSaid) {
  auto run = synthetic_run();
  make_failed(run.trials[3], "it hung");
  EXPECT_THAT(profile_of(run, {}).error().text(), HasSubstr("name one of them by --trial N"));
  EXPECT_THAT(profile_of(run, 4).error().text(), HasSubstr("the trial failed: it hung"));
  EXPECT_THAT(profile_of(run, 61).error().text(), HasSubstr("the run holds no trial 61"));
  EXPECT_THAT(profile_of(synthetic_header(), {}).error().text(), HasSubstr("no trial ended"));
  for (Trial& trial : run.trials) trial.functions.clear();
  EXPECT_THAT(profile_of(run, 1).error().text(), HasSubstr("no functions were recorded"));
}

TEST(Profile, HostileNamesStayInTheirPlace) {
  auto run = synthetic_run();
  run.trials = {run.trials[0]};
  run.trials[0].functions[0].function = "evil;name 99\nfn=other\n5 5";
  const auto profile = profile_of(run, 1).value();
  EXPECT_THAT(text_of(profile, write_folded), HasSubstr(";evil:name_99_fn=other_5_5 "));
  EXPECT_THAT(text_of(profile, write_callgrind), testing::Not(HasSubstr("\nfn=other")));
}

TEST(Profile, CallgrindAnnotateReadsIt) {
  if (std::system("command -v callgrind_annotate >/dev/null") != 0)
    GTEST_SKIP() << "callgrind_annotate is missing";
  const auto run = synthetic_run();
  const RunOnDisk disk(run);
  const std::string file = disk.file().string() + ".callgrind";
  {
    std::ofstream out(file);
    auto reader = disk.reader();
    write_callgrind(read_profile(reader, 57).value(), out);
  }
  std::FILE* pipe = ::popen(("callgrind_annotate --threshold=100 " + file + " 2>&1").c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string shown;
  char buffer[4096];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) shown.append(buffer, n);
  EXPECT_EQ(::pclose(pipe), 0) << shown;
  EXPECT_THAT(shown, HasSubstr(with_thousands(run.trials[56].machine_total.value)));
  for (const FunctionCost& cost : run.trials[56].functions) {
    EXPECT_THAT(shown, HasSubstr(with_thousands(cost.instructions.value)));
    EXPECT_THAT(shown, HasSubstr(cost.function));
  }
}

}  // namespace
}  // namespace vtax
