#include "subject/program_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vtax {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ProgramText, WordsArePartedAsAShellPartsThem) {
  EXPECT_THAT(*words_of("redis-server --port 6379  --save ''"),
              ElementsAre("redis-server", "--port", "6379", "--save", ""));
  EXPECT_THAT(*words_of(R"(sh -c "echo \"a b\" $HOME" 'c\d' e\ f)"),
              ElementsAre("sh", "-c", "echo \"a b\" $HOME", "c\\d", "e f"));
  EXPECT_FALSE(words_of("echo 'a"));
  EXPECT_FALSE(words_of("   "));
  EXPECT_FALSE(words_of("'' a"));
}

TEST(ProgramText, AServerIsReadyByPortWordsOrTime) {
  EXPECT_EQ(Ready::of("port 6379")->number, 6379U);
  EXPECT_EQ(Ready::of("output ready to accept")->words, "ready to accept");
  EXPECT_EQ(Ready::of("seconds 3")->number, 3U);
  for (const char* bad : {"", "port", "port 0", "port 65536", "port six", "output ", "seconds 601", "soon"})
    EXPECT_FALSE(Ready::of(bad)) << bad;
}

TEST(ProgramText, OperationsAreANumberOrTheGroupOfALine) {
  EXPECT_EQ(Operations::of("2000")->in("whatever"), 2000U);
  const auto pattern = Operations::of("([0-9,.]+) requests in");
  ASSERT_TRUE(pattern);
  EXPECT_EQ(pattern->in("Running\n  1,234.5 requests in 10 s\n7 requests in 1 s"), 1234U);
  const auto none = pattern->in("no figure\n0 requests in 3 s\n");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().why, HasSubstr("a number from 1 on where '([0-9,.]+) requests in' says"));
  // A line without an end is cut off before it is matched.
  EXPECT_FALSE(pattern->in(std::string(1 << 20, '1')));
  for (const char* bad : {"0", "", "[0-9]+ requests", "(", "-1"}) EXPECT_FALSE(Operations::of(bad)) << bad;
}

TEST(ProgramText, WhatCannotBeMeantIsRefusedByTheFactorsName) {
  TrialSpec good;
  good.packages = "redis-server redis-tools";
  good.client = "redis-benchmark -h {server}";
  good.server = "redis-server";
  good.ready = "port 6379";
  good.operations = "1";
  good.prepare = "redis-server --version";
  good.user = "www-data";
  ASSERT_TRUE(check_program(good)) << check_program(good).error().text();
  const auto expect_bad = [&](std::string TrialSpec::*field, const char* value, const char* named) {
    TrialSpec bad = good;
    bad.*field = value;
    const auto checked = check_program(bad);
    ASSERT_FALSE(checked) << named << " = " << value;
    EXPECT_THAT(checked.error().what, HasSubstr("'" + std::string(named) + "'"));
    EXPECT_EQ(checked.error().code, ExitCode::usage);
  };
  expect_bad(&TrialSpec::client, "", "client");
  expect_bad(&TrialSpec::client, "redis-benchmark \"", "client");
  expect_bad(&TrialSpec::server, "", "client");  // it asks for {server}
  expect_bad(&TrialSpec::server, "redis-server '", "server");
  expect_bad(&TrialSpec::prepare, "initdb '", "prepare");
  for (const char* user : {"", "Root", "0", "a:b", "../x"}) expect_bad(&TrialSpec::user, user, "user");
  expect_bad(&TrialSpec::ready, "soon", "ready");
  expect_bad(&TrialSpec::operations, "many", "operations");
  for (const char* packages : {"", "Redis", "redis-server;rm", "-o", "libllvm14-"})
    expect_bad(static_cast<std::string TrialSpec::*>(&MachineShape::packages), packages, "packages");
}

}  // namespace
}  // namespace vtax
