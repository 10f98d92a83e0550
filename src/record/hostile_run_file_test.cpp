#include <gmock/gmock.h>

#include <fstream>
#include <random>

#include "record/testing/run_file_fixture.h"

namespace vtax {
namespace {

using testing::HasSubstr;

TEST_F(RunFile, WhatIsNoRunFileIsSaid) {
  EXPECT_THAT(reading_error(), HasSubstr("No such file"));
  std::ofstream(file_)
      << "this is no run file, but quite a long text, longer than SQLite's header of 100 bytes..........";
  EXPECT_THAT(reading_error(), HasSubstr("it is not a run file of vtax"));
  std::filesystem::remove(file_);
  sql("CREATE TABLE t(a)");
  EXPECT_THAT(reading_error(), HasSubstr("it is not a run file of vtax"));
  EXPECT_THAT(RunWriter::resume(file_, synthetic_header()).error().text(), HasSubstr("not a run file"));
  file_ = "/dev/zero";
  EXPECT_THAT(reading_error(), HasSubstr("not a file"));
  file_ = "/";
  EXPECT_THAT(reading_error(), HasSubstr("not a file"));
}

TEST_F(RunFile, ANewerSchemaIsSaid) {
  write(synthetic_header());
  sql("PRAGMA user_version = 7");
  EXPECT_THAT(reading_error(),
              HasSubstr("a newer vtax wrote it: its schema is 7, this vtax reads up to 4\n  update vtax"));
}

TEST_F(RunFile, EveryTruncationIsAnErrorOrAWholeRun) {
  write(three_trials());
  const auto size = std::filesystem::file_size(file_);
  for (std::uintmax_t at = size - 1; at > 0; at = at * 7 / 8) {
    std::filesystem::resize_file(file_, at);
    EXPECT_NE(reading_error(), "no error") << at;
  }
}

TEST_F(RunFile, FlippedBytesNeverCrash) {
  write(three_trials());
  std::string original(std::filesystem::file_size(file_), '\0');
  std::ifstream(file_, std::ios::binary).read(original.data(), static_cast<std::streamsize>(original.size()));
  std::minstd_rand random(2);
  int errors = 0;
  for (int round = 0; round < 300; ++round) {
    std::string damaged = original;
    for (int i = 0; i < 1 + round / 30; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    std::ofstream(file_, std::ios::binary)
        .write(damaged.data(), static_cast<std::streamsize>(damaged.size()));
    errors += reading_error() != "no error" ? 1 : 0;
  }
  EXPECT_GT(errors, 100);
}

struct Hostile {
  const char* name;
  const char* sql;
  const char* error;
};

class HostileRunFile : public RunFile, public testing::WithParamInterface<Hostile> {};

TEST_P(HostileRunFile, IsRefused) {
  write(three_trials());
  sql(GetParam().sql);
  EXPECT_THAT(reading_error(), HasSubstr(GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, HostileRunFile,
    testing::Values(
        Hostile{"ViewInATablesPlace",
                "DROP TABLE device; CREATE VIEW device AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT "
                "i FROM n) SELECT i FROM n",
                "its tables are not vtax's"},
        Hostile{"ExtraTrigger", "CREATE TRIGGER t AFTER INSERT ON trial BEGIN SELECT 1; END",
                "tables that are not vtax's"},
        Hostile{"NoHeader", "DELETE FROM run", "its header is missing"},
        Hostile{"HeaderNul", "UPDATE run SET study = 'a' || char(0) || 'b'", "its header is not well formed"},
        Hostile{"HeaderDeepJson", "UPDATE run SET settings = replace(hex(zeroblob(50000)), '00', '[')",
                "not well formed"},
        Hostile{"NegativeCount", "UPDATE trial SET packets = -1", "a row of table trial is malformed"},
        Hostile{"HugeRepetition", "UPDATE trial SET repetition = 9223372036854775807", "malformed"},
        Hostile{"ZeroRepetition", "UPDATE trial SET repetition = 0", "its repetition is not 1 to 1000"},
        Hostile{"FactorsNoJson", "UPDATE trial SET factors = '{'", "malformed"},
        Hostile{"FactorsArray", "UPDATE trial SET factors = '[1]'", "malformed"},
        Hostile{"FactorsNumbers", "UPDATE trial SET factors = '{\"platform\": 1}'", "malformed"},
        Hostile{"FactorsMissing", "UPDATE trial SET factors = '{}'", "it names no platform"},
        Hostile{"TotalsDiffer", "UPDATE trial SET machine_instructions = 5", "its ledger adds up to"},
        Hostile{"SumOverflows", "UPDATE ledger SET value = 9223372036854775807", "more than 63 bits"},
        Hostile{"UnknownLayer", "UPDATE ledger SET layer = domain", "a row of table ledger is malformed"},
        Hostile{"DanglingName", "UPDATE ledger SET domain = 1000000", "a row of table ledger is malformed"},
        Hostile{"ChargedToNoCpu", "UPDATE ledger SET cpu = -1", "a count in its ledger is out of range"},
        Hostile{"NegativeCpu", "UPDATE ledger SET cpu = -2", "a row of table ledger is malformed"},
        Hostile{"HugeCpu", "UPDATE ledger SET cpu = 9223372036854775807",
                "a row of table ledger is malformed"},
        Hostile{"NameIsNoUtf8", "UPDATE string SET text = CAST(x'ff' AS TEXT) WHERE id = 1",
                "a row of table string is malformed"},
        Hostile{"NamesHaveGaps", "UPDATE string SET id = 1000000 WHERE id = 1",
                "a row of table string is malformed"},
        Hostile{"NoProvenance", "DELETE FROM provenance", "provenance of a trial is missing"},
        Hostile{"ProvenanceNoJson", "UPDATE provenance SET json = '</script>'",
                "its provenance is not a JSON object"},
        Hostile{"DigestNoDigest", "UPDATE trial SET digest = '<b>'", "its digest is not a SHA-256"},
        Hostile{"DeviceOverflow", "UPDATE device SET sent_bytes = 9223372036854775807",
                "a count of it is out of range"},
        Hostile{"FunctionsUnbalanced", "UPDATE function SET instructions = 1", "its profile adds up to"}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace vtax
