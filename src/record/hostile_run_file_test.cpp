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
  EXPECT_THAT(reading_error(), HasSubstr("it is a directory"));
}

TEST_F(RunFile, ANewerSchemaIsSaid) {
  write(synthetic_header());
  sql("PRAGMA user_version = 7");
  EXPECT_THAT(reading_error(),
              HasSubstr("a newer vtax wrote it: its schema is 7, this vtax reads up to 6\n  update vtax"));
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
        Hostile{"CpuTimeOverflows",
                "INSERT INTO string SELECT max(id) + 1, 'cpu_ns' FROM string; UPDATE trial SET "
                "machine_instructions = 0; UPDATE ledger SET value = 9223372036854775807, kind = (SELECT id "
                "FROM string WHERE text = 'cpu_ns')",
                "its ledger's cpu_ns add up to more than 63 bits"},
        Hostile{"EventsOverflow",
                "UPDATE ledger SET value = 9223372036854775807, cpu = cpu + place, kind = (SELECT id FROM "
                "string WHERE text = 'interrupts') WHERE value > 0",
                "add up to more than 63 bits"},
        Hostile{"CallsOverflow",
                "INSERT INTO call SELECT trial, place, 9223372036854775807 FROM function WHERE true",
                "its profile's calls add up to more than 63 bits"},
        Hostile{"CallsNegative", "INSERT INTO call SELECT trial, place, -2 FROM function WHERE true",
                "a row of table function is malformed"},
        Hostile{"NoSealOfTheRun", "DELETE FROM seal WHERE id = 0", "its header is not what was written"},
        Hostile{"NoSealOfATrial", "DELETE FROM seal WHERE id = 1", "trial 1 is not what was written"},
        Hostile{"ATrialIsGone", "PRAGMA foreign_keys = ON; DELETE FROM trial WHERE id = 0",
                "a trial of it is gone"},
        Hostile{"FunctionsUnbalanced", "UPDATE function SET instructions = 1", "its profile adds up to"}),
    [](const auto& tested) { return tested.param.name; });

struct Change {
  const char* name;
  const char* sql;
};

// What one flipped bit or a friendly hand does to a number that still adds up: every reader must see it.
class ChangedRunFile : public RunFile, public testing::WithParamInterface<Change> {};

TEST_P(ChangedRunFile, IsDamagedForEveryReader) {
  vtax::Run run = three_trials();
  for (Trial& trial : run.trials) {
    trial.guests = {{"guest1", trial.work.bytes, trial.work.transactions, 7}};
    trial.timeline = two_slices_of(trial);
    for (FunctionCost& cost : trial.functions) cost.calls = 3;
  }
  write(run);
  ASSERT_EQ(reading_error(), "no error");
  sql(GetParam().sql);
  EXPECT_THAT(reading_error(), HasSubstr("damaged"));
  const auto costs_error = [&] {
    auto reader = RunReader::open(file_);
    if (!reader) return reader.error().text();
    const auto read = reader->for_each(RunReader::Detail::costs, [](const Trial&) { return Result<>(); });
    return read ? "no error" : read.error().text();
  };
  EXPECT_THAT(costs_error(), HasSubstr("damaged"));
  const auto resumed = RunWriter::resume(file_, run);
  ASSERT_FALSE(resumed);
  EXPECT_THAT(resumed.error().text(),
              testing::AnyOf(HasSubstr("damaged"), HasSubstr("it holds another run")));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ChangedRunFile,
    testing::Values(
        Change{"Bytes", "UPDATE trial SET bytes = bytes / 2 WHERE id = 0"},
        Change{"Packets", "UPDATE trial SET packets = packets | 1024 WHERE id = 0"},
        Change{"Transactions", "UPDATE trial SET transactions = transactions + 1 WHERE id = 0"},
        Change{"Peer", "UPDATE trial SET peer_instructions = peer_instructions + 4 WHERE id = 0"},
        Change{"Window", "UPDATE trial SET window_virtual_ns = 1 WHERE id = 0"},
        Change{"Duration", "UPDATE trial SET elapsed_host_ns = elapsed_host_ns + 1 WHERE id = 0"},
        Change{"Event",
               "UPDATE ledger SET value = value + 1048576 WHERE trial = 0 AND kind = (SELECT id FROM string "
               "WHERE text = 'interrupts')"},
        Change{"Device", "UPDATE device SET received_packets = received_packets + 65536"},
        Change{"Guest", "UPDATE guest_work SET virtual_ns = virtual_ns + 1 WHERE trial = 0"},
        Change{"Calls", "UPDATE call SET calls = 4 WHERE trial = 0 AND place = 0"},
        Change{"NoCalls", "DELETE FROM call WHERE trial = 0 AND place = 0"},
        Change{"NameOfAFunction", "UPDATE string SET text = 'memcpy' WHERE text = 'copy_user_generic'"},
        Change{"SliceOfTime",
               "UPDATE timeline SET json = replace(json, '[10,30]', '[11,30]') WHERE trial = 0"},
        Change{"Digest", "UPDATE trial SET digest = '0' || substr(digest, 2) WHERE digest NOT LIKE '0%'"},
        Change{
            "Factor",
            "UPDATE trial SET factors = replace(factors, 'native', 'xen-hvm') WHERE factors LIKE '%native%'"},
        Change{"Repetition", "UPDATE trial SET repetition = 2 WHERE id = 0"},
        Change{"Provenance", "UPDATE provenance SET json = '{}'"},
        Change{"Planned", "UPDATE run SET planned_trials = 1"},
        Change{"Version", "UPDATE run SET vtax_version = '9'"}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace vtax
