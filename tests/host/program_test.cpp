// Programs of the user's on this computer, through the built vtax: what they cost, and what walls them in.
// They are hostile here: nothing of theirs may reach the computer, or stay.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "core/files.h"
#include "machine/parts/oci_for_test.h"
#include "tests/host/host_study.h"
#include "tests/host/program_study.h"
#include "tests/host/traces.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kAsNobody = "setpriv --reuid=65534 --regid=65534 --clear-groups ";

TEST_F(HostProgram, OfThePackagesServesInAProcessAndInAContainer) {
  need_busybox();
  if (IsSkipped()) return;
  write_study(
      "packages = [\"busybox-static\"]\nserver = \"busybox httpd -f -p 80 -h /bin\"\nready = \"port 80\"\n"
      "client = \"busybox wget -q -O /dev/null http://{server}/busybox\"\ndirection = [\"receive\", "
      "\"send\"]\n",
      "\"native\", \"container\"");
  const auto result = run_program("cd " + folder_.string() + " && " VTAX_PROGRAM " run program.toml --json");
  const json out = json::parse(result.out, nullptr, false);
  ASSERT_FALSE(out.is_discarded()) << result.err;
  ASSERT_EQ(out["trials"].size(), 4U);
  for (const json& one : out["trials"]) {
    ASSERT_FALSE(one.contains("error")) << one["error"];
    EXPECT_EQ(one["work"]["transactions"], 1);
    EXPECT_EQ(host_time(one, "kernel") + host_time(one, "program") + host_time(one, "uncharged") > 100'000,
              true)
        << "two megabytes were sent";
    EXPECT_FALSE(one["provenance"]["program"]["packages"].empty());
  }
}

// All of its time, although it has ended before the books are read; and that of children for which it waited.
TEST_F(HostProgram, WhatHasEndedIsCharged) {
  expect_times(
      {1.3, 3}, [&] { return trials_of(kCount); },
      [&] { return trials_of(std::string("(") + kCount + "); echo $(" + kCount + ")"); });
}

// What stands before and behind the marks is not in its cost.
TEST_F(HostProgram, MarksItsWindow) {
  const std::string count = std::string(kCount) + "; ";
  expect_times(
      {0.5, 1.9}, [&] { return trials_of(kCount); },
      [&] {
        json marked =
            trials_of(kMark + count + "mark begin; " + count + "mark end; " + count + count, kMarks);
        for (const json& one : marked) EXPECT_GE(one["provenance"]["meter"].value("readings_within", 0), 1);
        return marked;
      });
}

// From the first begin to the last end.
TEST_F(HostProgram, OfSeveralSystemsMarksOneWindow) {
  const std::string script = kMark + std::string("mark begin; ") + kCount + "; mark end";
  expect_times(
      {1.5, 3}, [&] { return trials_of(script, kMarks); },
      [&] {
        json both = trials_of(script, kMarks, "--set guests=2");
        for (const json& one : both) EXPECT_EQ(one["work"]["transactions"], 2);
        return both;
      });
}

TEST_F(HostProgram, ThatMarksNoWindowIsAnError) {
  EXPECT_THAT(error_of("echo x", kMarks), HasSubstr("it has marked no window"));
  EXPECT_THAT(error_of(std::string(kMark) + "mark begin; mark begin", kMarks), HasSubstr("'begin' twice"));
  EXPECT_THAT(error_of(std::string(kMark) + "mark begin", kMarks), HasSubstr("without an 'end'"));
  EXPECT_THAT(error_of(std::string(kMark) + "mark begin; while :; do :; done",
                       std::string(kMarks) + "limit_seconds = 1\n"),
              HasSubstr("without an 'end'"));
}

TEST_F(HostProgram, SeesNothingOfTheComputer) {
  const std::string said = output_of(
      "echo /home/* /var/log/* /sys/* /proc/1/root/*; cd ../../../..; echo here *; echo processes "
      "/proc/[0-9]*; "
      "echo devices /dev/*; (echo x > /proc/sys/kernel/hostname) 2> /dev/null && echo wrote; "
      "(echo x > /new) && echo its own; exit 0");
  EXPECT_THAT(said, HasSubstr("/home/* /var/log/* /sys/* /proc/1/root/*"));
  EXPECT_THAT(
      said,
      HasSubstr("devices /dev/fd /dev/full /dev/null /dev/random /dev/shm /dev/stderr /dev/stdin /dev/stdout "
                "/dev/urandom /dev/zero\n"));
  EXPECT_THAT(said, testing::Not(HasSubstr("wrote")));
  EXPECT_THAT(said, HasSubstr("its own"));
  EXPECT_THAT(said, testing::ContainsRegex("processes /proc/[0-9]+\n"));
  EXPECT_FALSE(fs::exists("/new"));
  EXPECT_FALSE(fs::exists(folder_ / "shell/new"));
}

constexpr const char* kRights =
    "while read a b c; do case $a in Uid:|CapEff:|CapBnd:|NoNewPrivs:) echo $a $b;; esac; "
    "done < /proc/self/status";

TEST_F(HostProgram, HasFewRights) {
  EXPECT_EQ(output_of(kRights),
            "Uid: 0\nCapEff: 00000000000000eb\nCapBnd: 00000000000000eb\nNoNewPrivs: 1\n");
  if (geteuid() != 0) GTEST_SKIP() << "without root there is one user";
  EXPECT_EQ(output_of(kRights, "user = \"program\"\n"),
            "Uid: 1000\nCapEff: 0000000000000000\nCapBnd: 00000000000000eb\nNoNewPrivs: 1\n");
  EXPECT_THAT(error_of("echo x > /etc/x", "user = \"program\"\n"), HasSubstr("Permission denied"));
}

TEST_F(HostProgram, RunsWithoutRoot) {
  if (geteuid() != 0) GTEST_SKIP() << "the other tests are without root";
  if (run_program("setpriv --version").code != 0) GTEST_SKIP() << "there is no setpriv";
  fs::copy_file(VTAX_PROGRAM, folder_ / "vtax");
  const auto doctor = run_program(kAsNobody + (folder_ / "vtax").string() + " doctor --json");
  if (doctor.out.find("programs of one's own") == std::string::npos ||
      doctor.out.find("no programs of one's own") != std::string::npos)
    GTEST_SKIP() << doctor.out;
  EXPECT_THAT(output_of("echo /home/* /proc/[0-9]*", "", kAsNobody),
              testing::ContainsRegex("^/home/\\* /proc/[0-9]+\n"));
  EXPECT_EQ(output_of(kRights, "", kAsNobody),
            "Uid: 0\nCapEff: 00000000000000eb\nCapBnd: 00000000000000eb\nNoNewPrivs: 1\n");
  EXPECT_THAT(error_of("echo x", "user = \"program\"\n", kAsNobody),
              HasSubstr("has no other users to give it"));
  EXPECT_THAT(error_of("kill -9 -1", "", kAsNobody), testing::Not(testing::IsEmpty()));
}

TEST_F(HostProgram, LeavesNoChild) {
  write_client("(while :; do :; done) & echo left; exit 0", "", "\"native\", \"container\"");
  for (const json& one : trials()) EXPECT_FALSE(one.contains("error")) << one["error"];
}

TEST_F(HostProgram, IsBounded) {
  const std::string line = "s=0123456789abcdef; s=$s$s$s$s; s=$s$s$s$s; s=$s$s$s$s; ";
  EXPECT_THAT(error_of(line + "while :; do echo $s; done"), HasSubstr("it wrote more than 64 MiB"));
  EXPECT_THAT(error_of("f() { f & f; }; f", "limit_seconds = 2\n"), testing::Not(testing::IsEmpty()));
  EXPECT_THAT(error_of("while :; do :; done", "limit_seconds = 1\n"), HasSubstr("run dash"));
  if (geteuid() != 0) return;  // without root the trial's own processes are within its reach
  EXPECT_EQ(output_of("kill -9 -1 2> /dev/null; echo alone"), "alone\n");
}

TEST_F(HostProgram, ThatIsNotThereIsAnError) {
  write_study("files = \"./shell\"\nclient = \"dasch -c true\"\n");
  EXPECT_THAT(trial().value("error", ""), HasSubstr("there is no such program in its packages and files"));
  write_study("files = \"./nowhere\"\nclient = \"dash -c true\"\n");
  const auto refused = run_program("cd " + folder_.string() + " && " VTAX_PROGRAM " run program.toml");
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("'files' is ./nowhere, which is not there"));
}

// Links of the user's lead nowhere else, whatever is written through them.
TEST_F(HostProgram, WritesThroughNoLink) {
  fs::create_directories(folder_ / "outside");
  fs::create_directory_symlink(folder_ / "outside", folder_ / "shell/var");
  EXPECT_EQ(output_of("echo x > /var/x; read y < /var/x; echo $y"), "x\n");
  EXPECT_TRUE(fs::is_empty(folder_ / "outside"));
  fs::create_directory_symlink("/etc", folder_ / "shell/tmp");
  EXPECT_THAT(error_of("echo x"), HasSubstr("a link in place of the folder tmp"));
}

// Its client, which would wait for a minute, is not waited for.
TEST_F(HostProgram, WhoseServerDiesFailsAtOnce) {
  const auto errors_of = [&](const std::string& end) {
    write_study(
        "files = \"./shell\"\nready = \"output up\"\nclient = '''dash -c 'while :; do :; done' '''\n"
        "server = '''dash -c 'echo up; " +
            std::string(kCount) + "; echo I die; " + end + "' '''\n",
        "\"native\", \"container\"");
    std::vector<std::string> errors;
    for (const json& one : trials()) errors.push_back(one.value("error", ""));
    EXPECT_EQ(errors.size(), 2U);
    return errors;
  };
  const auto begun = std::chrono::steady_clock::now();
  const std::string says = "keep the server running until the client has ended: ",
                    words = "; its last words: up I die";
  EXPECT_THAT(errors_of("exit 3"), testing::Each(HasSubstr(says + "it ended with code 3" + words)));
  EXPECT_THAT(errors_of("kill -9 $$"),
              testing::Each(HasSubstr(says + "it was killed by signal 9 (Killed)" + words)));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(100));
}

// In a user namespace that may have none below it.
TEST_F(HostProgram, IsRefusedWhereItCannotBeConfined) {
  write_client("echo x");
  const std::string without =
      "cd " + folder_.string() +
      " && unshare -Ur sh -c 'echo 0 > /proc/sys/user/max_user_namespaces && " VTAX_PROGRAM;
  const auto doctor = run_program(without + " doctor --json'");
  if (doctor.out.find("namespaces, as root") == std::string::npos) GTEST_SKIP() << doctor.err << doctor.out;
  EXPECT_THAT(doctor.out, HasSubstr("no programs of one's own: cannot confine a program"));
  const auto planned = run_program(without + " run program.toml --dry-run'");
  EXPECT_THAT(planned.out, HasSubstr("is missing here: programs of one's own: "));
  const auto refused = run_program(without + " run program.toml'");
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, HasSubstr("cannot confine a program"));
  EXPECT_THAT(refused.err, HasSubstr("sysctl user.max_user_namespaces"));
}

// An image of a container with this computer's dash.
TEST_F(HostProgram, OfAnImageOfAContainerRuns) {
  lab::OciForTest image{folder_ / "image"};
  lab::TarForTest tar, whiteout;
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "shell"))
    if (entry.is_regular_file())
      tar.file(fs::relative(entry.path(), folder_ / "shell").string(), read_text(entry.path()).value(), 0755);
  tar.folder("srv").file("srv/old", "x").file("srv/said", "of the image");
  whiteout.file("srv/.wh.old", "");
  for (const std::string& layer : {tar.archive, whiteout.archive}) image.layer(layer, layer, "layer.v1.tar");
  image.write();
  write_study(
      "files = \"oci:./image\"\nclient = '''dash -c 'read said < /srv/said; echo $said; echo /srv/*' '''\n",
      "\"native\", \"container\"");
  const auto expect_said = [&](const std::string& prefix) {
    const json both = trials(prefix);
    EXPECT_EQ(both.size(), 2U);
    for (const json& one : both) {
      ASSERT_FALSE(one.contains("error")) << one["error"];
      EXPECT_EQ(one["provenance"]["client_output"], "of the image\n/srv/said\n");
    }
  };
  expect_said("");
  if (geteuid() != 0 || run_program("setpriv --version").code != 0)
    GTEST_SKIP() << "without root it was tried, with it not";
  if (const auto doctor = run_program(std::string(kAsNobody) + VTAX_PROGRAM " doctor --json");
      doctor.out.find("no programs of one's own") != std::string::npos)
    GTEST_SKIP() << doctor.out;
  expect_said(kAsNobody);
}

// The files of a program are read once: for what the run is made from and for its trials.
TEST_F(HostProgram, IsPreparedOnce) {
  if (run_program("strace -V").code != 0) GTEST_SKIP() << "there is no strace";
  write_client("echo x");
  const auto traced =
      run_program("cd " + folder_.string() +
                  " && strace -f -o trace -e trace=openat " VTAX_PROGRAM
                  " run program.toml --json > /dev/null; grep -c 'shell/[^\"]*/dash\"' trace");
  EXPECT_EQ(traced.out, "2\n") << "its hash, and its copy in the program's root";
}

TEST_F(HostProgram, AWindowsLengthIsNotItsToChoose) {
  write_client("echo x");
  const auto planned = run_program("cd " + folder_.string() +
                                   " && " VTAX_PROGRAM " run program.toml --dry-run --set window_ms=500");
  EXPECT_EQ(planned.code, 0) << planned.err;
  EXPECT_THAT(planned.out,
              HasSubstr("is one run of its client, or what that marks, whatever window_ms says"));
}

TEST_F(HostProgram, LeavesNothingWhenVtaxIsKilled) {
  write_client("(while :; do :; done) & while :; do echo x > /tmp/x; done", "", "\"container\"");
  std::mt19937 random(11);
  for (int round = 0; round < 8; ++round) {
    const fs::path out = folder_ / "killed.vtax";
    fs::remove(out);
    start_and_kill({VTAX_PROGRAM, "run", "program.toml", "--out", out.string()}, folder_,
                   std::chrono::milliseconds(random() % 2500));
    EXPECT_THAT(left_behind(before_), testing::IsEmpty()) << "round " << round;
  }
}

}  // namespace
}  // namespace vtax
