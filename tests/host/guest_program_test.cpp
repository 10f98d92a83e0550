// Programs of the user's in guests of this computer: what they cost there, and that hostile ones reach
// nothing of it. A guest is theirs, and they are root in it; the wall stands around what runs the guest.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "core/files.h"
#include "tests/host/host_study.h"
#include "tests/host/program_study.h"
#include "tests/host/traces.h"
#include "tests/program.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

class GuestProgram : public HostProgram {
 protected:
  // Its packages are those of this user's cache.
  [[nodiscard]] json run_study(const std::string& options = "") const {
    const auto result =
        run_program("cd " + folder_.string() +
                    " && rm -f program*.vtax && " VTAX_PROGRAM " run program.toml --json " + options);
    const json out = json::parse(result.out, nullptr, false);
    EXPECT_FALSE(out.is_discarded()) << result.err;
    return out.is_discarded() ? json::array() : out["trials"];
  }

  // Of a client of BusyBox's shell.
  [[nodiscard]] json trial_of(const std::string& platform, const std::string& script,
                              const std::string& more = "") const {
    write_study("packages = [\"busybox-static\"]\nclient = '''busybox sh -c '" + script + "' '''\n" + more,
                "\"" + platform + "\"");
    const json all = run_study();
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? json::object() : all[0];
  }

  // Where the server, when it is ready, does that, and the client waits for more than a minute.
  [[nodiscard]] std::string error_with_server(const std::string& platform, const std::string& end) const {
    write_study(
        "packages = [\"busybox-static\"]\nready = \"output up\"\nclient = \"busybox sleep 100\"\n"
        "server = '''busybox sh -c 'echo up; busybox sleep 1; " +
            end + "; busybox sleep 100' '''\n",
        "\"" + platform + "\"");
    const json all = run_study();
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? "" : all[0].value("error", "");
  }
};

class AnyGuestsProgram : public GuestProgram, public testing::WithParamInterface<std::string> {
 protected:
  [[nodiscard]] static std::string platform() { return "\"" + GetParam() + "\""; }

  // A shell's work of some ten milliseconds or more; QEMU takes some 20 times as long.
  [[nodiscard]] static std::string count(int times = 1) {
    const int rounds = times * (GetParam() == "qemu" ? 4000 : 50'000);
    return "i=0; while [ $i -lt " + std::to_string(rounds) + " ]; do i=$((i+1)); done";
  }
};

TEST_P(AnyGuestsProgram, ServesAndAsks) {
  need_platform(GetParam());
  need_busybox();
  if (IsSkipped()) return;
  write_study(
      "packages = [\"busybox-static\"]\nserver = \"busybox httpd -f -p 80 -h /bin\"\nready = \"port 80\"\n"
      "client = '''busybox sh -c 'for i in 1 2 3 4 5 6 7 8; do busybox wget -q -O /dev/null "
      "http://{server}/busybox; done' '''\ndirection = [\"receive\", \"send\"]\noperations = 8\n",
      platform());
  const json both = run_study();
  ASSERT_EQ(both.size(), 2U);
  for (const json& one : both) {
    expect_balance(one);
    EXPECT_EQ(one["work"]["transactions"], 8);
    EXPECT_GT(host_time(one, "", "guest1"), 5'000'000U) << "it has sent or received 16 MB";
    EXPECT_FALSE(one["provenance"]["program"]["packages"].empty());
    EXPECT_FALSE(one["provenance"]["packages"].empty()) << "those of the guest's kernel";
  }
}

// Its own time and that of children for which it waited is the program's, not the guest's kernel's.
TEST_P(AnyGuestsProgram, IsChargedWhatItWorks) {
  need_platform(GetParam());
  if (IsSkipped()) return;
  const std::string work = count(6);  // some ticks of the guest's
  const auto measured = [&](const std::string& script) {
    write_client(script, "", platform());
    json all = run_study();
    for (const json& one : all) {
      expect_balance(one);
      EXPECT_GT(host_time(one, "program", "guest1"), 2 * host_time(one, "kernel", "guest1"));
    }
    return all;
  };
  expect_times(
      {1.7, 6}, [&] { return measured(work); },
      [&] { return measured(work + "; (" + work + "); echo $(" + work + ")"); });
}

// One that has much to do whether it is asked or not: from the window's begin to its end.
TEST_P(AnyGuestsProgram, OfAServerThatPollsIsTheServers) {
  need_platform(GetParam());
  need_busybox();
  if (IsSkipped()) return;
  write_study(
      "packages = [\"busybox-static\"]\n"
      "server = \"busybox sh -c 'busybox httpd -p 80 -h /bin; while :; do :; done'\"\nready = \"port 80\"\n"
      "client = '''busybox sh -c 'busybox wget -q -O /dev/null http://{server}/busybox; busybox sleep 2' "
      "'''\n"
      "direction = \"receive\"\n",
      platform());
  const json all = run_study();
  ASSERT_EQ(all.size(), 1U);
  expect_balance(all[0]);
  const std::uint64_t program = host_time(all[0], "program", "guest1");
  EXPECT_GT(program, 100'000'000U);
  EXPECT_GT(program, 2 * host_time(all[0], "kernel", "guest1"));
}

// The machine of a server ends in the middle of the trial, whose client is not waited for.
TEST_P(AnyGuestsProgram, ThatEndsItsGuestFailsAtOnce) {
  need_platform(GetParam());
  need_busybox();
  if (IsSkipped()) return;
  const std::string error = error_with_server(GetParam(), "echo c > /proc/sysrq-trigger");
  EXPECT_THAT(error, HasSubstr("guest1: the process that runs it has ended: "));
  EXPECT_THAT(error, HasSubstr("; Kernel panic - not syncing: sysrq triggered crash"));
  EXPECT_THAT(error, HasSubstr("its last lines:\n"));
}

// The first guest's client waits at its mark until the second's, which has much to do before, has come to its
// own: that work is in no window.
TEST_P(AnyGuestsProgram, OfSeveralMarksOneWindow) {
  need_platform(GetParam());
  if (IsSkipped()) return;
  write_client(std::string(kMark) + "read words < /proc/cmdline; case $words in *vtax.guest=2*) " +
                   count(30) + ";; esac; mark begin; " + count(10) + "; mark end; " + count(10),
               "window = \"marks\"\n", platform());
  const json all = run_study("--set guests=2");
  ASSERT_EQ(all.size(), 1U);
  expect_balance(all[0]);
  EXPECT_EQ(all[0]["work"]["transactions"], 2);
  const auto first = host_time(all[0], "", "guest1"), second = host_time(all[0], "", "guest2");
  EXPECT_GT(first, 10'000'000U);
  EXPECT_GT(second, first / 4);
  EXPECT_LT(second, first * 4);
  for (const char* guest : {"guest1", "guest2"})
    EXPECT_GT(host_time(all[0], "program", guest), host_time(all[0], "kernel", guest)) << guest;
}

INSTANTIATE_TEST_SUITE_P(All, AnyGuestsProgram, testing::Values("uml", "qemu"));

// What a client waits at its mark for another one's is no part of its own limit.
TEST_F(GuestProgram, OfUmlWaitsForOthersBeyondItsLimit) {
  need_platform("uml");
  need_busybox();
  if (IsSkipped()) return;
  write_study(
      "packages = [\"busybox-static\"]\nwindow = \"marks\"\nlimit_seconds = 8\nclient = '''busybox sh -c '" +
          std::string(kMark) +
          "read words < /proc/cmdline; case $words in *vtax.guest=2*) busybox sleep 5;; esac; "
          "mark begin; mark end; case $words in *vtax.guest=1*) busybox sleep 5;; esac' '''\n",
      "\"uml\"");
  const json all = run_study("--set guests=2");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].value("error", ""), "") << "5 s of waiting and 5 of its own";
}

// User Mode Linux's root may mount the files of whoever runs it: those are its own.
TEST_F(GuestProgram, OfUmlReachesNoFileOfTheComputer) {
  need_platform("uml");
  need_busybox();
  if (IsSkipped()) return;
  const fs::path secret = folder_ / "secret";
  std::ofstream(secret) << "a secret";
  fs::permissions(secret, fs::perms::all);
  const std::string here = secret.string();
  const json one = trial_of(
      "uml",
      "mkdir /h /up; mount -t hostfs none /h -o / && echo mounted; mount -t hostfs none /up -o /../..; "
      "for at in /h /up; do echo in $at: $(ls $at); cat $at" +
          here + "; echo x > $at" + here + "; echo x > $at" + here +
          "2; ls $at/proc $at/etc $at/home $at/root; done; "
          "mknod /h/disk b 8 0 || echo no device; mknod /h/memory c 1 1 || echo no device; "
          "echo its own > /h/own; cat /h/own; "
          "cat /dev/mem > /dev/null; exit 0");
  ASSERT_FALSE(one.contains("error")) << one["error"];
  const std::string said = one["provenance"]["client_output"];
  EXPECT_THAT(said, HasSubstr("mounted\n")) << "it has hostfs, or else this test says nothing";
  EXPECT_THAT(said, HasSubstr("in /h: dev initrd lib lib64 linux tmp\n"));
  EXPECT_THAT(said, HasSubstr("in /up: dev initrd lib lib64 linux tmp\n"));
  EXPECT_THAT(said, testing::Not(HasSubstr("a secret")));
  EXPECT_THAT(said, testing::ContainsRegex("no device\n(.*\n)*no device\n"));
  EXPECT_THAT(said, HasSubstr("its own\n"));
  EXPECT_EQ(read_text(secret).value(), "a secret");
  EXPECT_FALSE(fs::exists(here + "2"));
  for (const char* left : {"/own", "/memory", "/disk"}) EXPECT_FALSE(fs::exists(left)) << left;
}

// What it does to its guest fails its trial, and no more.
TEST_F(GuestProgram, OfUmlIsBounded) {
  need_platform("uml");
  need_busybox();
  if (IsSkipped()) return;
  const std::string line = "s=0123456789abcdef; s=$s$s$s$s; s=$s$s$s$s; s=$s$s$s$s; s=$s$s$s$s; ";
  const auto error_of_uml = [&](const std::string& script) {
    return trial_of("uml", script, "limit_seconds = 200\n").value("error", "");
  };
  EXPECT_THAT(error_of_uml(line + "while :; do echo $s; done"), HasSubstr("it wrote more than 64 MiB"));
  EXPECT_THAT(error_of_uml("while :; do busybox sleep 1000 & done"), HasSubstr("can't fork"));
  EXPECT_THAT(error_of_uml(line + "while :; do echo $s > /dev/console; done"),
              HasSubstr("guest1: the process that runs it has ended"));
  EXPECT_EQ(
      trial_of("uml", "busybox cat /dev/zero > /tmp/all; busybox stat -c %s /tmp/all")["provenance"].value(
          "client_output", ""),
      "File size limit exceeded\n67108864\n");
  EXPECT_EQ(trial_of("uml", "(while :; do :; done) & exit 0").value("error", ""), "");
}

// By itself, of its guest's want of memory, or with its guest.
TEST_F(GuestProgram, OfUmlSaysOfWhatItDied) {
  need_platform("uml");
  need_busybox();
  if (IsSkipped()) return;
  const std::string killed =
      "it was killed by signal 9 (Killed); the kernel has killed for want of memory meanwhile: the system "
      "has ";
  const std::string server = error_with_server("uml", "exec busybox tail /dev/zero");
  EXPECT_THAT(server, HasSubstr("guest1: keep the server running until the client has ended: " + killed));
  EXPECT_THAT(server, HasSubstr("its last words: up"));
  EXPECT_THAT(trial_of("uml", "exec busybox tail /dev/zero").value("error", ""),
              HasSubstr("guest1: run busybox: " + killed));
  EXPECT_THAT(trial_of("uml", "busybox poweroff -f; busybox sleep 100").value("error", ""),
              HasSubstr("guest1: the process that runs it has ended: it ended with code 0"));
}

TEST_F(GuestProgram, OfUmlLeavesNothingWhenVtaxIsKilled) {
  need_platform("uml");
  if (IsSkipped()) return;
  write_client("(while :; do :; done) & while :; do echo x > /tmp/x; done", "", "\"uml\"");
  std::mt19937 random(12);
  for (int round = 0; round < 6; ++round) {
    const fs::path out = folder_ / "killed.vtax";
    fs::remove(out);
    start_and_kill({VTAX_PROGRAM, "run", "program.toml", "--out", out.string()}, folder_,
                   std::chrono::milliseconds(500 + random() % 5000));
    EXPECT_THAT(left_behind(before_), testing::IsEmpty()) << "round " << round;
  }
}

}  // namespace
}  // namespace vtax
