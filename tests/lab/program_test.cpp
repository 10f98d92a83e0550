// The workload `program`: somebody else's client and server in the systems under test.

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/lab/lab_bench.h"

namespace vtax::lab {
namespace {

using testing::HasSubstr;

constexpr const char* kPackages = "busybox-static";  // a server and its client in one small file

#define NEED_PROGRAM(kind)                                                                              \
  NEED_LAB(kind);                                                                                       \
  if (const auto cache = PackageCache::open(); !cache || !cache->find(wanted_programs(kPackages).name)) \
  GTEST_SKIP()                                                                                          \
      << "the program's packages are not in the cache: `vtax run` of a study that names them fetches them"

using Texts = std::map<std::string, std::string>;

Texts web(PlatformId kind) {
  return {{"platform", std::string(name_of(kind))},
          {"workload", "program"},
          {"topology", "card"},
          {"packages", kPackages},
          {"server", "busybox httpd -f -p 8080 -h /bin"},
          {"ready", "port 8080"},
          {"client", "busybox wget -O /dev/null http://{server}:8080/busybox"},
          {"operations", "1"}};
}

const LabMachine& machine_with_program(PlatformId kind) {
  MachineShape shape;
  shape.packages = kPackages;
  return LabBench::get().machine(kind, shape);
}

Trial run_program_on(const LabMachine& machine, Texts factors) {
  Trial trial;
  trial.factors = std::move(factors);
  if (const auto done = machine.run(trial, quiet); !done) trial.error = done.error().text();
  return trial;
}

class Program : public testing::TestWithParam<PlatformId> {};

TEST_P(Program, OfASystemIsCountedTheSameInARerun) {
  NEED_PROGRAM(GetParam());
  const LabMachine& machine = machine_with_program(GetParam());
  const Trial one = run_program_on(machine, web(GetParam())),
              again = run_program_on(machine, web(GetParam()));
  ASSERT_EQ(one.error, "");
  EXPECT_EQ(one.digest, again.digest);
  EXPECT_EQ(one.work.transactions, Transactions(1));
  const std::string system = GetParam() == PlatformId::native ? "host" : "guest1";
  const bool is_known =
      std::any_of(one.functions.begin(), one.functions.end(), [&](const FunctionCost& function) {
        return function.domain == system && function.layer == Layer::program && function.image == "busybox" &&
               function.instructions > Instructions(1000);
      });
  EXPECT_TRUE(is_known) << "the server serves two megabytes in the system under test";
}

// A client that is alone, whose start does much more than what it marks.
Texts marking(PlatformId kind, const std::string& marked) {
  return {{"platform", std::string(name_of(kind))},
          {"workload", "program"},
          {"topology", "inside"},
          {"packages", kPackages},
          {"window", "marks"},
          {"client",
           "busybox sh -c 'mark() { echo $1 >&$VTAX_WINDOW; read answer <&$VTAX_WINDOW; }; "
           "busybox sha256sum /bin/busybox; " +
               marked + "'"}};
}

TEST_P(Program, ThatMarksItsWindowIsCountedWithinIt) {
  NEED_PROGRAM(GetParam());
  const LabMachine& machine = machine_with_program(GetParam());
  const Texts little = marking(GetParam(), "mark begin; mark end; echo on"),
              much = marking(GetParam(), "mark begin; busybox sha256sum /bin/busybox; mark end");
  const Trial empty = run_program_on(machine, little), work = run_program_on(machine, much),
              again = run_program_on(machine, much);
  ASSERT_EQ(empty.error + work.error, "");
  EXPECT_EQ(work.digest, again.digest);
  EXPECT_LT(empty.machine_total, Instructions(200'000));
  EXPECT_GT(work.machine_total, Instructions(10'000'000));
}

INSTANTIATE_TEST_SUITE_P(All, Program,
                         testing::Values(PlatformId::native, PlatformId::xen_pv, PlatformId::xen_pvh,
                                         PlatformId::kvm),
                         [](const auto& tested) { return test_name(tested.param); });

// The server's folder has what was prepared in it, and both are a user's who may write nowhere else.
TEST(PreparedProgram, ServesWhatWasPreparedWithTheUsersRights) {
  NEED_PROGRAM(PlatformId::native);
  Texts factors = web(PlatformId::native);
  factors["user"] = "program";
  factors["prepare"] = "busybox sh -c 'echo > /etc/x && exit 5; busybox id -u > who; busybox id -un >> who'";
  factors["server"] = "busybox httpd -f -p 8080 -h .";
  factors["client"] = "busybox wget -q -O - http://{server}:8080/who";
  factors["operations"] = "^(1000)$";
  const Trial one = run_program_on(machine_with_program(PlatformId::native), factors),
              again = run_program_on(machine_with_program(PlatformId::native), factors);
  ASSERT_EQ(one.error, "");
  EXPECT_EQ(one.work.transactions, Transactions(1000));
  EXPECT_EQ(one.digest, again.digest);
}

// As Debian's redis-server is one of redis-check-rdb. BusyBox is stripped: its functions have places.
TEST(ProgramThatIsALink, HasItsFunctionsUnderTheNameItIsStartedBy) {
  NEED_PROGRAM(PlatformId::native);
  const Trial trial = run_program_on(machine_with_program(PlatformId::native),
                                     {{"platform", "native"},
                                      {"workload", "program"},
                                      {"topology", "inside"},
                                      {"packages", kPackages},
                                      {"prepare", "busybox ln -s busybox /bin/sha256sum"},
                                      {"client", "sha256sum /bin/busybox"}});
  ASSERT_EQ(trial.error, "");
  const auto has = [&](const std::string& begin) {
    return std::any_of(trial.functions.begin(), trial.functions.end(), [&](const FunctionCost& one) {
      return one.image == "sha256sum" && one.function.starts_with(begin);
    });
  };
  EXPECT_TRUE(has("sha256sum+0x"));
  EXPECT_FALSE(has("busybox+0x"));
}

// Its function lies in no file, and elsewhere in each repetition: the program tells its name. In a rerun it
// has the count of the first.
TEST(ProgramThatMakesCode, HasItsFunctionsNamesInEachRepetition) {
  NEED_LAB(PlatformId::native);
  MachineShape shape;
  shape.files = VTAX_MAKES_CODE;
  const LabMachine& machine = LabBench::get().machine(PlatformId::native, shape);
  const auto run_both = [&] {
    std::vector<Trial> trials(2);
    int repetition = 0;
    for (Trial& trial : trials) {
      trial.repetition = ++repetition;
      trial.factors = {{"platform", "native"},
                       {"workload", "program"},
                       {"topology", "inside"},
                       {"files", VTAX_MAKES_CODE},
                       {"client", "makes_code 5000000"}};
    }
    std::vector<Trial> done;
    const auto ran = machine.run_repetitions(
        trials, quiet, [&](const Trial& trial, const std::optional<Error>& error) -> Result<> {
          EXPECT_FALSE(error) << error->text();
          done.push_back(trial);
          return {};
        });
    EXPECT_TRUE(ran) << ran.error().text();
    return done;
  };
  const std::vector<Trial> one = run_both(), again = run_both();
  ASSERT_EQ(one.size(), 2U);
  ASSERT_EQ(again.size(), 2U);
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].digest, again[i].digest);
    const auto made =
        std::find_if(one[i].functions.begin(), one[i].functions.end(),
                     [](const FunctionCost& function) { return function.function == "made loop app.js:1"; });
    ASSERT_NE(made, one[i].functions.end()) << "repetition " << i + 1;
    EXPECT_EQ(made->image, "[run time]");
    EXPECT_EQ(made->layer, Layer::program);
    EXPECT_EQ(made->instructions, Instructions(10'000'002));
  }
}

struct Fault {
  const char* name;
  Texts changed;
  const char* says;
};

class FaultOfAProgram : public testing::TestWithParam<Fault> {};

TEST_P(FaultOfAProgram, FailsTheTrialWithItsLastWords) {
  NEED_PROGRAM(PlatformId::native);
  Texts factors = web(PlatformId::native);
  for (const auto& [factor, value] : GetParam().changed) factors[factor] = value;
  const Trial trial = run_program_on(machine_with_program(PlatformId::native), factors);
  EXPECT_THAT(trial.error, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    All, FaultOfAProgram,
    testing::Values(
        Fault{"server_is_never_ready",
              {{"server", "busybox sh -c 'echo I wait; sleep 100'"}, {"limit_seconds", "2"}},
              "after 2 s (limit_seconds) it is not ready (\"port 8080\"); its last words: I wait"},
        Fault{"server_ends", {{"server", "busybox httpd -f -p 8080 -h /nowhere"}}, "before it was ready"},
        Fault{
            "server_dies",
            {{"server", "busybox sh -c 'echo up; busybox sleep 1; echo I die; exit 3'"},
             {"ready", "output up"},
             {"client", "busybox sleep 100"},
             {"warmup", "off"}},
            "the server running until the client has ended: it ended with code 3; its last words: up I die"},
        Fault{"client_fails",
              {{"client", "busybox sh -c 'echo I fail; exit 3'"}},
              "it ended with code 3; its last words: I fail"},
        Fault{"client_hangs",
              {{"client", "busybox sleep 100"}, {"limit_seconds", "2"}},
              "run busybox: it has not ended after 2 s (limit_seconds)"},
        Fault{
            "client_floods", {{"client", "busybox yes flood"}}, "it wrote more than 64 MiB; its last words:"},
        Fault{"pattern_does_not_fit",
              {{"client", "busybox echo nothing"}, {"operations", "([0-9]+) requests"}},
              "no line of what it printed has a number"},
        Fault{"no_such_program", {{"client", "busybocks"}}, "there is no such program"},
        Fault{"interpreter_is_missing",
              {{"prepare", "busybox sh -c 'echo \"#!/bin/nosh\" > /bin/script; chmod +x /bin/script'"},
               {"client", "script"}},
              "run script: it is started by /bin/nosh, which is not in its packages and files"},
        Fault{"prepare_fails",
              {{"prepare", "busybox sh -c 'echo I prepare; exit 4'"}},
              "it ended with code 4; its last words: I prepare"},
        Fault{"no_such_user", {{"user", "postgres"}}, "its /etc/passwd has no such user"},
        Fault{"window_is_never_marked",
              {{"window", "marks"}, {"client", "busybox echo I mark nothing"}},
              "it has marked no window"},
        Fault{"window_does_not_end",
              {{"window", "marks"},
               {"warmup", "off"},
               {"client", "busybox sh -c 'echo begin >&3; read ok <&3'"}},
              "it has ended without an 'end' to its window; it said nothing"},
        Fault{"window_ends_before_it_begins",
              {{"window", "marks"}, {"client", "busybox sh -c 'echo I end; echo end >&3; read ok <&3'"}},
              "it wrote 'end' without 'begin'; it ended with code 1; its last words: I end"},
        Fault{"client_fails_before_its_window",
              {{"window", "marks"}, {"client", "busybox sh -c 'echo I fail; exit 3'"}},
              "to the descriptor VTAX_WINDOW; it ended with code 3; its last words: I fail"},
        Fault{"client_fails_behind_its_window",
              {{"window", "marks"},
               {"warmup", "off"},
               {"client", "busybox sh -c 'echo begin >&3; read ok <&3; echo end >&3; read ok <&3; exit 3'"}},
              "it ended with code 3"}),
    [](const auto& tested) { return std::string(tested.param.name); });

// Of its guest's want of memory, or with its guest. The client, which would wait for more than a minute, is
// not waited for.
class DeathOfAGuestsServer : public testing::TestWithParam<PlatformId> {};

TEST_P(DeathOfAGuestsServer, FailsTheTrialAtOnceAndSaysOfWhat) {
  NEED_PROGRAM(GetParam());
  const auto error_of = [](const std::string& end) {
    Texts factors = web(GetParam());
    factors["server"] = "busybox sh -c 'echo up; busybox sleep 1; " + end + "'";
    factors["ready"] = "output up";
    factors["client"] = "busybox sleep 100";
    factors["warmup"] = "off";
    return run_program_on(machine_with_program(GetParam()), factors).error;
  };
  const std::string panic = error_of("echo c > /proc/sysrq-trigger");
  EXPECT_THAT(panic,
              HasSubstr(GetParam() == PlatformId::kvm ? "guest1: its QEMU has ended: it ended with code 0; "
                                                      : "guest1: its domain has ended: it has crashed; "));
  EXPECT_THAT(panic, HasSubstr("; Kernel panic - not syncing: sysrq triggered crash"));
  EXPECT_THAT(error_of("exec busybox tail /dev/zero"),
              HasSubstr("guest1: keep the server running until the client has ended: it was killed by signal "
                        "9 (Killed); the kernel has killed for want of memory meanwhile: the system has "));
}

INSTANTIATE_TEST_SUITE_P(All, DeathOfAGuestsServer, testing::Values(PlatformId::xen_pv, PlatformId::kvm),
                         [](const auto& tested) { return test_name(tested.param); });

}  // namespace
}  // namespace vtax::lab
