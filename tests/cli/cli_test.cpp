#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "query/testing/run_on_disk.h"
#include "record/testing/synthetic_run.h"
#include "tests/golden.h"
#include "tests/program.h"

namespace vtax {
namespace {

using testing::HasSubstr;
using testing::Not;

ProgramResult run(const std::string& arguments) {
  return run_program(VTAX_PROGRAM " " + arguments);
}

TEST(CommandLine, HelpOfEveryVerbIsAsItWas) {
  for (const char* verb : {"list", "report", "compare", "simulate", "top"}) {
    const auto result = run(std::string(verb) + " --help");
    EXPECT_EQ(result.code, 0);
    expect_golden(result.out, std::string("help-") + verb + ".txt");
  }
}

TEST(CommandLine, ListsAreAsTheyWere) {
  for (const char* what : {"platforms", "workloads", "studies"}) {
    const auto result = run(std::string("list ") + what);
    EXPECT_EQ(result.code, 0);
    expect_golden(result.out, std::string("list-") + what + ".txt");
  }
}

// On a full disk too; of which /dev/full is the nearest thing.
TEST(CommandLine, WhatCouldNotBeWrittenIsAnError) {
  for (const char* arguments :
       {"list platforms", "list workloads", "list studies", "doctor", "doctor --json", "--help", "--version",
        "run --help", "lab fetch --help", "workload memory --array 4K --rounds 2",
        "workload memory --array 4K --rounds 2 --format json", "workload http-files --help"}) {
    const auto result = run(std::string(arguments) + " >/dev/full");
    EXPECT_EQ(result.code, 5) << arguments;
    EXPECT_THAT(result.err, HasSubstr("cannot write the standard output: No space left on device"))
        << arguments;
    EXPECT_EQ(run(std::string(arguments) + " >&-").code, 5) << arguments;
  }
}

// Also where the disk is full long before the end.
TEST(CommandLine, AFileThatCouldNotBeWrittenSaysWhy) {
  const RunOnDisk disk(synthetic_run());
  const std::string ledger = (disk.file().parent_path() / "ledger.csv").string();
  const auto result = run_program("ulimit -f 16; " VTAX_PROGRAM " report " + disk.file().string() +
                                  " --format csv-ledger -o " + ledger);
  EXPECT_EQ(result.code, 5);
  EXPECT_THAT(result.err, HasSubstr("ledger.csv: File too large"));
  EXPECT_FALSE(std::filesystem::exists(ledger));
}

TEST(CommandLine, ExplainsFactorsByCommandLinesThatWork) {
  for (const char* factor :
       {"forwarding", "kernel_args", "hardware_counters", "array_bytes", "ready", "pattern"}) {
    const auto told = run(std::string("explain ") + factor);
    const std::string begin = "  for example: vtax ";
    const auto at = told.out.find(begin);
    ASSERT_NE(at, std::string::npos) << factor << told.out;
    const std::string line = told.out.substr(at + begin.size(), told.out.find('\n', at) - at - begin.size());
    const auto planned = run(line + " --dry-run");
    EXPECT_EQ(planned.code, 0) << line << planned.err;
  }
  EXPECT_THAT(run("explain client").out, Not(HasSubstr("client=\n")));
}

TEST(CommandLine, AgentsSayWhatTheyNeed) {
  const auto no_token = run_program("unset VTAX_TOKEN; " VTAX_PROGRAM " agent --bind 127.0.0.1 --for 1s");
  EXPECT_EQ(no_token.code, 2);
  EXPECT_THAT(no_token.err, HasSubstr("the agent answers only who has its token"));
  const auto no_time =
      run_program("VTAX_TOKEN=0123456789abcdef " VTAX_PROGRAM " agent --bind 127.0.0.1 --for 0s");
  EXPECT_EQ(no_time.code, 2);
  EXPECT_THAT(no_time.err, HasSubstr("cannot use --for 0s"));
}

TEST(CommandLine, WrongUseIsExitCodeTwo) {
  EXPECT_EQ(run("profile --most-cost nan -d 1s").code, 2);
  EXPECT_EQ(run("").code, 2);
  EXPECT_EQ(run("report").code, 2);
  EXPECT_EQ(run("report a b").code, 2);
  EXPECT_EQ(run("report r.vtax --format nonsense").code, 2);
  const auto result = run("reprot r.vtax");
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("'reprot' is not a verb\n  did you mean 'report'?"));
  EXPECT_THAT(run("report /nowhere/r.vtax").err,
              HasSubstr("cannot read run file /nowhere/r.vtax: No such file"));
  for (const char* arguments :
       {"report /nowhere/r", "compare /nowhere/a /nowhere/b", "merge /nowhere/r -o /nowhere/m",
        "predict /nowhere/m", "fit /nowhere/r -o /tmp/no.model", "advise /nowhere/s",
        "advise web-box --model /nowhere/m", "advise --from /nowhere/r --what-if guests=+1",
        "run /nowhere/s.toml", "simulate first-look --costs /nowhere/r"}) {
    const auto missing = run(arguments);
    EXPECT_EQ(missing.code, 2) << arguments;
    EXPECT_THAT(missing.err, HasSubstr("No such file or directory")) << arguments;
  }
}

// CLI11's complaints look like vtax's own.
TEST(CommandLine, WhatCannotBeReadIsSaidInOneStyle) {
  const auto said = [](const std::string& arguments) {
    const auto result = run(arguments);
    EXPECT_EQ(result.code, 2) << arguments;
    EXPECT_EQ(result.out, "") << arguments;
    return result.err;
  };
  EXPECT_EQ(said("report"),
            "vtax: cannot run 'vtax report': RUN is required\n  `vtax report --help` shows its use\n");
  EXPECT_EQ(
      said("lab boot nothing"),
      "vtax: cannot run 'vtax lab boot': MACHINE: nothing not in "
      "{native,xen-pv,xen-pvh,xen-hvm,xen-hvm-pv,kvm,kvm-qemu}\n  `vtax lab boot --help` shows its use\n");
  EXPECT_THAT(said("report a.vtax --fromat json"),
              HasSubstr("  did you mean '--format'? `vtax report --help` shows its use\n"));
  EXPECT_EQ(said(""),
            "vtax: cannot run 'vtax': it needs a verb\n"
            "  allowed: run, report, compare, merge, fit, predict, simulate, advise, prices, init, list, "
            "explain, doctor, "
            "top, profile, "
            "agent, lab, workload\n");
  EXPECT_EQ(said("lab shel"),
            "vtax: cannot run 'vtax lab': 'shel' is not a verb of it\n  did you mean 'shell'?\n");
  EXPECT_EQ(run("report --help").code, 0);
  EXPECT_EQ(run("--version").code, 0);
}

TEST(CommandLine, WhatIsTypedReachesNoTerminalRaw) {
  for (const char* arguments :
       {"\"$(printf '\\033[2J')\"", "run \"$(printf '\\033[2J')\"",
        "run first-look --set \"$(printf 'platform=\\033[2J')\"", "report \"$(printf '\\033]0;x\\007')\"",
        "lab \"$(printf '\\302\\233')\"", "list \"$(printf '\\342\\200\\256')\""}) {
    const auto result = run(arguments);
    EXPECT_NE(result.code, 0) << arguments;
    EXPECT_EQ((result.out + result.err).find_first_of("\x1b\x07"), std::string::npos) << arguments;
    EXPECT_EQ((result.out + result.err).find("\xc2\x9b"), std::string::npos) << arguments;
    EXPECT_EQ((result.out + result.err).find("\u202e"), std::string::npos) << arguments;
  }
}

class Reports : public testing::Test {
 protected:
  RunOnDisk disk_{synthetic_run()};
  std::string file_ = disk_.file().string();
  std::string folder_ = disk_.file().parent_path().string();
};

TEST_F(Reports, GoToAFileWholeOrNotAtAll) {
  const std::string out = folder_ + "/out.json";
  ASSERT_EQ(run("report " + file_ + " --format json -o " + out).code, 0);
  const auto size = std::filesystem::file_size(out);
  EXPECT_EQ(size, run("report " + file_ + " --format json").out.size());
  EXPECT_EQ(run("report " + file_ + " --format json --trial 1 -o " + out).code, 2);
  EXPECT_EQ(run("report " + file_ + " --format profile -o " + out).code, 2);  // which trial?
  EXPECT_EQ(std::filesystem::file_size(out), size);
  const auto files = std::distance(std::filesystem::directory_iterator(folder_), {});
  EXPECT_EQ(files, 2);  // the run and the report: no temporary file stays
}

TEST_F(Reports, ThatCannotBeWrittenSayWhy) {
  const auto full = run("report " + file_ + " -o /dev/full");
  EXPECT_EQ(full.code, 5);
  EXPECT_THAT(full.err, HasSubstr("cannot write /dev/full: No space left on device\n  free some space"));
  EXPECT_EQ(run("report " + file_ + " >/dev/full").code, 5);
  EXPECT_EQ(run("report " + file_ + " -o /nowhere/x").code, 5);
  EXPECT_THAT(run("report " + file_ + " -o /").err, HasSubstr("it is a directory"));
  EXPECT_EQ(run("report " + file_ + " -o /dev/null").code, 0);
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST_F(Reports, ARunIsNotOverwrittenByItsReport) {
  const auto refused = run("report " + file_ + " -o " + file_);
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("it is the run file that is to be shown"));
  EXPECT_EQ(run("report " + file_).code, 0);
}

TEST_F(Reports, CompareIsAGate) {
  auto dearer = synthetic_run();
  scale_function(dearer.trials[56], "xenvif_tx_action", 1.10);
  const RunOnDisk other(dearer);
  const std::string both = file_ + " " + other.file().string();
  EXPECT_EQ(run("compare " + both).code, 0);
  EXPECT_EQ(run("compare " + both + " --fail-above 3%").code, 0);
  const auto failed = run("compare " + both + " --fail-above 2%");
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.err,
              HasSubstr("a cost rose by 2.35 %, above the limit of 2 %: xen-pv, tcp-stream, sending"));
  EXPECT_EQ(run("compare " + both + " --fail-above 2").code, 1);
  // As a script has it whose variable is not set.
  const auto empty = run("compare " + both + " --fail-above ''");
  EXPECT_EQ(empty.code, 2);
  EXPECT_THAT(empty.err, HasSubstr("it is not a percentage"));
  for (const char* limit : {"-1%", "x%", "nan%", "2%%", "2e3e", ""}) {
    EXPECT_EQ(run("compare " + both + " --fail-above=" + limit).code, 2) << limit;
  }
  EXPECT_THAT(run("compare --json " + both).out, HasSubstr("\"xen-pv\""));
  EXPECT_EQ(run("compare --format json " + both).out, run("compare --json " + both).out);
  EXPECT_THAT(run("compare --format markdown " + both).out, HasSubstr("| cell | per | before |"));
}

TEST_F(Reports, CompareShowsACellInDetailByAPartOfItsName) {
  auto dearer = synthetic_run();
  scale_function(dearer.trials[56], "xenvif_tx_action", 1.10);
  const RunOnDisk other(dearer);
  const std::string both = file_ + " " + other.file().string();
  const auto whole = run("compare " + both);
  EXPECT_THAT(whole.out, testing::Not(HasSubstr("layer, in the window")));
  EXPECT_LE(std::count(whole.out.begin(), whole.out.end(), '\n'), 30) << whole.out;
  EXPECT_THAT(run("compare " + both + " --all").out, HasSubstr("layer, in the window"));
  const auto cells = run("compare " + both + " --cell 'xen-pv, tcp-stream, sending'");
  EXPECT_THAT(cells.out, HasSubstr("layer, in the window"));
  EXPECT_THAT(cells.out, testing::Not(HasSubstr("receiving")));
  const auto none = run("compare " + both + " --cell nothing");
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.err, HasSubstr("no compared cell has that in its name"));
}

TEST_F(Reports, TheGateDoesNotOpenForWhatWasNotMeasured) {
  auto another = synthetic_run();
  for (Trial& trial : another.trials) trial.factors["driver_cpus"] = "2";
  const RunOnDisk nothing(another);
  const std::string unlike = "compare " + file_ + " " + nothing.file().string();
  EXPECT_EQ(run(unlike).code, 0);
  const auto refused = run(unlike + " --fail-above 2%");
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("it has no finished cell in common with " + file_));

  auto half = synthetic_run();
  make_failed(half.trials[56], "the guest hung");
  const RunOnDisk failed(half);
  const auto gate = run("compare " + file_ + " " + failed.file().string() + " --fail-above 2%");
  EXPECT_EQ(gate.code, 4);
  EXPECT_THAT(gate.err, HasSubstr("1 of its cells failed: xen-pv, tcp-stream, sending, card, offloads off"));
}

// Each is named, and none passes.
TEST_F(Reports, TheGateIsClosedToAnUnfinishedRunAndAMissingCell) {
  auto interrupted = synthetic_run();
  interrupted.trials.resize(10);
  const RunOnDisk part(interrupted);
  const auto unfinished = run("compare " + file_ + " " + part.file().string() + " --fail-above 2%");
  EXPECT_EQ(unfinished.code, 4);
  EXPECT_THAT(unfinished.err,
              HasSubstr(part.file().string() + " is unfinished: 50 of its trials were not run"));
  const auto turned = run("compare " + part.file().string() + " " + file_ + " --fail-above 2%");
  EXPECT_EQ(turned.code, 4);

  auto fewer = synthetic_run();
  fewer.trials.erase(fewer.trials.begin() + 56);
  fewer.planned_trials = fewer.trials.size();
  const RunOnDisk without(fewer);
  const auto missing = run("compare " + file_ + " " + without.file().string() + " --fail-above 2%");
  EXPECT_EQ(missing.code, 2);
  EXPECT_THAT(missing.err, HasSubstr("1 of the cells of " + file_ + " are not in it: xen-pv, tcp-stream"));
}

TEST_F(Reports, TheGateSaysWhatItJudgesByMediansAlone) {
  auto sampled = synthetic_run();
  sampled.settings = R"({"machine": "host"})";
  const RunOnDisk one(sampled);
  for (Trial& trial : sampled.trials) trial.digest[0] = trial.digest[0] == 'a' ? 'b' : 'a';
  const RunOnDisk two(sampled);
  const auto judged = run("compare " + one.file().string() + " " + two.file().string() + " --fail-above 2%");
  EXPECT_EQ(judged.code, 0);
  EXPECT_THAT(judged.err,
              HasSubstr("60 of 60 cells are judged by their medians alone: too few repetitions for a "
                        "test\n  run both with --reps 4 at least"));
}

// A trial's number is in the list that the refusal names.
TEST_F(Reports, ProfilesAreFoundByTheListOfTrials) {
  const auto refused = run("report " + file_ + " --format profile");
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("`vtax report RUN --format trials` lists them"));
  EXPECT_THAT(run("report " + file_ + " --format profile --trial 99").err, HasSubstr("--format trials"));
  const auto list = run("report " + file_ + " --format trials");
  EXPECT_EQ(list.code, 0);
  EXPECT_THAT(list.out,
              HasSubstr("\n   58  xen-pv, tcp-stream, receiving, card, offloads off, 64 KiB writes: "));
  EXPECT_EQ(run("report " + file_ + " --format profile --trial 0").code, 2);
  const auto profile = run("report " + file_ + " --format profile --trial 58");
  EXPECT_EQ(profile.code, 0);
  EXPECT_THAT(profile.out,
              testing::StartsWith("xen-pv, tcp-stream, receiving, card, offloads off, 64 KiB writes"));
}

}  // namespace
}  // namespace vtax
