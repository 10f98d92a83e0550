#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "record/testing/run_file_fixture.h"

namespace vtax {
namespace {

using testing::HasSubstr;

// As a vtax before the schedule wrote it.
TEST_F(RunFile, AFileOfTheFifthSchemaIsRead) {
  const vtax::Run written = three_trials();
  write(written);
  sql("DROP TABLE schedule; PRAGMA user_version = 5");
  expect_kept(written);
}

TEST_F(RunFile, AFileOfTheThirdSchemaIsReadButNotGoneOnWith) {
  vtax::Run written = three_trials();
  written.trials[1].guests = {{"guest1", Bytes(100), Transactions(0), 7}};
  written.trials[1].timeline = two_slices_of(written.trials[1]);
  write(written);
  sql("DROP TABLE call; DROP TABLE seal; DROP TABLE waiting; DROP TABLE busy; DROP TABLE schedule; PRAGMA "
      "user_version = 3");
  expect_kept(written);
  EXPECT_THAT(RunWriter::resume(file_, written).error().text(), HasSubstr("an older vtax began it"));
}

// As a vtax before calls and seals wrote it.
TEST_F(RunFile, AFileOfTheFourthSchemaIsRead) {
  const vtax::Run written = three_trials();
  write(written);
  sql("DROP TABLE call; DROP TABLE seal; DROP TABLE waiting; DROP TABLE busy; DROP TABLE schedule; PRAGMA "
      "user_version = 4");
  auto reader = RunReader::open(file_);
  ASSERT_TRUE(reader) << reader.error().text();
  const auto read = reader->all();
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->trials.size(), 3U);
}

// As a vtax before the timeline wrote it.
TEST_F(RunFile, AFileOfTheSecondSchemaIsRead) {
  const vtax::Run written = three_trials();
  write(written);
  sql("DROP TABLE call; DROP TABLE seal; DROP TABLE waiting; DROP TABLE busy; DROP TABLE schedule; DROP "
      "TABLE timeline; PRAGMA "
      "user_version = 2");
  auto reader = RunReader::open(file_);
  ASSERT_TRUE(reader) << reader.error().text();
  const auto read = reader->all();
  ASSERT_TRUE(read) << read.error().text();
  ASSERT_EQ(read->trials.size(), 3U);
}

// As vtax 0.1 wrote it.
TEST_F(RunFile, AFileOfTheFirstSchemaIsReadButNotGoneOnWith) {
  const vtax::Run written = three_trials();
  write(written);
  sql("DROP TABLE call; DROP TABLE seal; DROP TABLE waiting; DROP TABLE busy; DROP TABLE schedule; DROP "
      "TABLE timeline; DROP "
      "TABLE guest_work;"
      "PRAGMA user_version = 1");
  expect_kept(written);
  EXPECT_THAT(RunWriter::resume(file_, written).error().text(), HasSubstr("an older vtax began it"));
}

}  // namespace
}  // namespace vtax
