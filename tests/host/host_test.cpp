// Studies on this computer itself, through the built vtax: what they measure, and that nothing of them stays.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <thread>

#include "core/files.h"
#include "machine/host/host_readiness.h"
#include "meter/hardware_counters.h"
#include "tests/host/traces.h"
#include "tests/program.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Host : public testing::Test {
 protected:
  Host() {
    take_in_orphans();
    std::string pattern = (fs::temp_directory_path() / "vtax-host-test-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~Host() override { fs::remove_all(folder_); }

  void need(const std::string& platform) {
    const auto check = host::examine_platform(platform_named(platform).value());
    // Packages are fetched by hand, not by a test.
    if (check.state != lab::State::good) GTEST_SKIP() << platform << ": " << check.detail;
  }

  // Once each, where nothing else is asked for.
  [[nodiscard]] static std::string study(const std::string& platforms, const std::string& more) {
    const std::string once = more.find("--reps") == std::string::npos ? " --reps 1" : "";
    return "first-look --machine host --set platform=" + platforms + once + " --set workload=" + more;
  }

  [[nodiscard]] ProgramResult run(const std::string& arguments) const {
    return run_program("cd " + folder_.string() + " && " VTAX_PROGRAM " run " + arguments);
  }

  fs::path folder_;
};

std::uint64_t sum(const json& trial, const std::string& layer, const std::string& domain = "") {
  std::uint64_t all = 0;
  for (const json& row : trial["ledger"])
    if (row["kind"] == "cpu_ns" && (layer.empty() || row["layer"] == layer) &&
        (domain.empty() || row["domain"] == domain))
      all += row["value"].get<std::uint64_t>();
  return all;
}

// Rows of hardware counters, or the reason why there are none.
void expect_counters(const json& trial) {
  const std::set<std::string> kinds{"cpu_ns", "hw_cycles", "hw_instructions"};
  std::map<std::string, std::uint64_t> seen;
  for (const json& row : trial["ledger"]) {
    EXPECT_TRUE(kinds.contains(row["kind"])) << row;
    seen[row["kind"]] += row["value"].get<std::uint64_t>();
  }
  const json& meter = trial["provenance"]["meter"];
  const std::string state = meter.value("hardware_counters", "");
  if (trial["factors"]["hardware_counters"] == "off") {
    EXPECT_EQ(state, "off");
    EXPECT_EQ(seen.size(), 1U);
    return;
  }
  if (!meter::examine_hardware_counters().programs) {
    EXPECT_EQ(state, "not counted: " + meter::examine_hardware_counters().detail);
    EXPECT_EQ(seen.size(), 1U);
    EXPECT_FALSE(meter.contains("hardware_counters_notes"));
    return;
  }
  EXPECT_EQ(state, "counted") << meter;
  EXPECT_GT(seen["hw_cycles"], 100'000U);
  EXPECT_GT(seen["hw_instructions"], 100'000U);
  EXPECT_GT(meter["hardware_counters_cpu_share"].get<double>(), 0.5);
}

// What holds of every trial on the host.
void expect_balance(const json& trial) {
  ASSERT_FALSE(trial.contains("error")) << trial["error"];
  expect_counters(trial);
  EXPECT_FALSE(trial["machine_total"].contains("instructions"));
  const auto total = trial["machine_total"]["cpu_ns"].get<std::uint64_t>();
  EXPECT_EQ(sum(trial, ""), total);
  const auto span = trial["provenance"]["meter"]["span_ns"].get<double>();
  auto cpus = static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
  // On Xen these are Domain-0's virtual CPUs, and each guest has one.
  if (trial["provenance"].contains("xen")) cpus += static_cast<double>(trial["guests"].size());
  EXPECT_NEAR(static_cast<double>(total), span * cpus, 0.02 * span * cpus);
  EXPECT_GT(trial["window_ns"].get<std::uint64_t>(), 0U);
}

TEST_F(Host, NativeAndContainerAreMeasuredInCpuTime) {
  need("container");
  if (IsSkipped()) return;
  const auto before = traces();
  const auto result = run(study("native,container",
                                "tcp-stream --set bytes=536870912 --set write_bytes=65536 "
                                "--set direction=receive --set offloads=off --json"));
  ASSERT_EQ(result.code, 0) << result.err;
  const json out = json::parse(result.out);
  ASSERT_EQ(out["trials"].size(), 2U);
  for (const json& trial : out["trials"]) {
    expect_balance(trial);
    EXPECT_EQ(trial["work"]["bytes"], 536870912);
    const auto ours =
        sum(trial, "kernel", "host") + sum(trial, "program", "host") + sum(trial, "uncharged", "host");
    EXPECT_GT(ours, 10'000'000U) << "half a gigabyte costs more than 10 ms";
    EXPECT_GT(sum(trial, "kernel"), sum(trial, "program"));
  }
  EXPECT_THAT(left_behind(before), testing::IsEmpty());
}

// Of traffic, of a web server, of work without traffic, and on a disk; the amounts of the study's file are
// where they grow from.
TEST_F(Host, WindowsGrowToTheirLength) {
  need("container");
  if (IsSkipped()) return;
  const auto result = run(study("native,container",
                                "tcp-rr,udp-rr,tcp-crr,tcp-stream,http,linpack,disk --set window_ms=300 "
                                "--set offloads=off --set direction=receive --set write_bytes=65536 --json"));
  ASSERT_EQ(result.code, 0) << result.err;
  const json out = json::parse(result.out);
  ASSERT_EQ(out["trials"].size(), 14U);
  for (const json& trial : out["trials"]) {
    expect_balance(trial);
    const double window_ms = trial["window_ns"].get<double>() * 1e-6;
    EXPECT_GT(window_ms, 100) << trial["factors"];
    EXPECT_LT(window_ms, 1500) << trial["factors"];
    const json& growth = trial["provenance"]["window_growth"];
    EXPECT_GE(growth["tries"], 1);
    EXPECT_GE(growth["to"], growth["from"]);
    EXPECT_EQ(trial["factors"].value(growth["factor"].get<std::string>(), ""),
              std::to_string(growth["from"].get<std::uint64_t>()));
    if (trial["factors"]["workload"] == "disk") {
      EXPECT_NE(trial["provenance"]["disk"]["folder"], "memory");
    }
  }
  EXPECT_THAT(result.err, testing::HasSubstr("14 trials, 1 of each cell: "));
}

using RowKey = std::tuple<json, std::string, std::string>;  // CPU, domain, layer

std::uint64_t sum_of(const json& column) {
  std::uint64_t sum = 0;
  for (const json& value : column) sum += value.get<std::uint64_t>();
  return sum;
}

// The slices of a trial against its ledger: the timeline's layers, coarser or not.
void expect_course(const json& trial) {
  ASSERT_TRUE(trial.contains("timeline"));
  const json& timeline = trial["timeline"];
  std::set<std::pair<json, std::string>> undivided;
  std::map<RowKey, std::uint64_t> slices, window;
  for (const json& row : timeline["rows"]) {
    const bool is_both = row["layer"] == "kernel+program";
    if (is_both) undivided.emplace(row["cpu"], row["domain"]);
    slices[{row["cpu"], row["domain"], row["layer"]}] = sum_of(row["cpu_ns"]);
  }
  for (const json& row : trial["ledger"]) {
    if (row["kind"] != "cpu_ns") continue;
    const std::string layer = row["layer"];
    const bool is_own = layer == "kernel" || layer == "program" || layer == "uncharged";
    const bool is_both = is_own && undivided.contains({row["cpu"], row["domain"]}) &&
                         !slices.contains({row["cpu"], row["domain"], layer});
    window[{row["cpu"], row["domain"], is_both ? "kernel+program" : layer}] +=
        row["value"].get<std::uint64_t>();
  }
  EXPECT_EQ(slices, window);
  EXPECT_EQ(timeline["end_ns"].back(), trial["provenance"]["meter"]["span_ns"]);
}

// Half a second of both and more; the slices add up, and the bytes on the devices are the work's with
// headers.
TEST_F(Host, AWindowHasACourse) {
  need("container");
  if (IsSkipped()) return;
  const auto before = traces();
  constexpr std::uint64_t kBytes = 1073741824;
  const auto result = run(study("native,container",
                                "tcp-stream --set bytes=1073741824 --set write_bytes=65536 --set "
                                "direction=receive,send --set offloads=off --json"));
  ASSERT_EQ(result.code, 0) << result.err;
  const json out = json::parse(result.out);
  ASSERT_EQ(out["trials"].size(), 4U);
  for (const json& trial : out["trials"]) {
    expect_balance(trial);
    expect_course(trial);
    const json& timeline = trial["timeline"];
    const auto ends = timeline["end_ns"].get<std::vector<std::uint64_t>>();
    ASSERT_GE(ends.size(), 2U);
    ASSERT_EQ(timeline["devices"].size(), 1U);
    const json& device = timeline["devices"][0];
    const bool is_native = trial["platform"] == "native";
    const bool receives = trial["factors"]["direction"] == "receive";
    EXPECT_EQ(device["device"], is_native ? "lo" : "vtaxs0");
    // A container's port sends what the container receives; `lo` has no Ethernet headers, and
    // acknowledgements.
    const char* carried = is_native || !receives ? "received_bytes" : "sent_bytes";
    const auto all = static_cast<double>(sum_of(device[carried]));
    EXPECT_GT(all, kBytes * (is_native ? 1500 / 1448.0 : 1514 / 1448.0));
    EXPECT_LT(all, kBytes * 1.15);
    for (const json& counted : trial["devices"]) {
      if (counted["device"] != device["device"]) continue;
      EXPECT_NEAR(all, counted[carried].get<double>(), all / 1000) << "what the work's own reading says";
    }
    // A busy computer may let neither end work for a slice or two.
    const auto idle_slices = std::count(device[carried].begin(), device[carried].end(), 0);
    EXPECT_LT(static_cast<std::size_t>(idle_slices), (ends.size() + 1) / 2);
  }
  EXPECT_THAT(left_behind(before), testing::IsEmpty());
}

TEST_F(Host, CountersAreReadOrItIsSaidWhyNot) {
  need("container");
  if (IsSkipped()) return;
  const auto result = run(study("native,container",
                                "tcp-rr --set transactions=2000 --set offloads=on --set "
                                "hardware_counters=on,off --json"));
  ASSERT_EQ(result.code, 0) << result.err;
  const json out = json::parse(result.out);
  ASSERT_EQ(out["trials"].size(), 4U);
  for (const json& trial : out["trials"]) expect_balance(trial);
}

TEST_F(Host, ADiskIsAFileOfTheTrials) {
  need("native");
  const auto before = traces();
  for (const char* store : {"memory", "tmpdir"}) {
    const auto result =
        run_program("cd " + folder_.string() + " && TMPDIR=" + folder_.string() + " " VTAX_PROGRAM " run " +
                    study("native,container",
                          "disk --set offloads=on --set bytes=67108864 --set "
                          "block_bytes=4096 --set operation=write,read --json --set store=") +
                    store);
    ASSERT_EQ(result.code, 0) << result.err;
    const json out = json::parse(result.out);
    ASSERT_EQ(out["trials"].size(), 4U);
    for (const json& trial : out["trials"]) {
      expect_balance(trial);
      EXPECT_EQ(trial["work"]["bytes"], 67108864);
      // Which of its layers a few milliseconds are charged to is a matter of ticks.
      EXPECT_GT(
          sum(trial, "kernel", "host") + sum(trial, "program", "host") + sum(trial, "uncharged", "host"),
          1'000'000U);
    }
    fs::remove(folder_ / "first-look.vtax");
  }
  EXPECT_TRUE(fs::is_empty(folder_)) << "the disk stayed";
  EXPECT_THAT(left_behind(before), testing::IsEmpty());
}

TEST_F(Host, ServesTheWeb) {
  need("native");
  const auto before = traces();
  const auto result = run(study("native,container",
                                "http --set offloads=on --set requests=2000 --set connections=4 --set "
                                "requests_per_connection=10 --set direction=receive,send --json"));
  ASSERT_EQ(result.code, 0) << result.err;
  const json out = json::parse(result.out);
  ASSERT_EQ(out["trials"].size(), 4U);
  for (const json& trial : out["trials"]) {
    expect_balance(trial);
    EXPECT_EQ(trial["work"]["transactions"], 2000);
    EXPECT_EQ(trial["work"]["bytes"], 2000 * 14746);
  }
  EXPECT_THAT(left_behind(before), testing::IsEmpty());
}

TEST_F(Host, ContainersAreRoutedAndTranslated) {
  need("container");
  if (IsSkipped()) return;
  const auto before = traces();
  const auto result = run(study(
      "container", "tcp-rr --set offloads=on --set transactions=2000 --set forwarding=route,nat --json"));
  const json out = json::parse(result.out, nullptr, false);
  ASSERT_FALSE(out.is_discarded()) << result.err;
  EXPECT_THAT(left_behind(before), testing::IsEmpty());
  ASSERT_EQ(out["trials"].size(), 2U);
  for (const json& trial : out["trials"]) {
    if (trial.contains("error") && trial["error"].get<std::string>().find("nf_tables") != std::string::npos)
      GTEST_SKIP() << trial["error"];
    expect_balance(trial);
    EXPECT_EQ(trial["work"]["transactions"], 2000);
  }
}

constexpr char kShaped[] =
    "tcp-stream --set bytes=12582912 --set warmup_bytes=1048576 --set link_mbps=100 --set offloads=on --set "
    "write_bytes=65536 --set direction=receive,send --json";

void expect_shaped(const ProgramResult& result) {
  const json out = json::parse(result.out, nullptr, false);
  ASSERT_FALSE(out.is_discarded()) << result.err;
  ASSERT_EQ(out["trials"].size(), 2U);
  for (const json& trial : out["trials"]) {
    if (trial.contains("error") && trial["error"].get<std::string>().find("shape") != std::string::npos)
      GTEST_SKIP() << trial["error"];
    expect_balance(trial);
    const double mbps = 12582912 * 8e3 / trial["window_ns"].get<double>();
    EXPECT_LT(mbps, 96);  // 94.15, and the bucket's first 128 KiB
    EXPECT_GT(mbps, 50);  // on a busy computer
  }
}

TEST_F(Host, ALinkIsShapedBothWays) {
  need("container");
  if (IsSkipped()) return;
  const auto before = traces();
  expect_shaped(run(study("container", kShaped)));
  EXPECT_THAT(left_behind(before), testing::IsEmpty());
}

// In a user namespace, whose root is nobody outside.
TEST_F(Host, ALinkIsShapedWithoutRoot) {
  if (geteuid() != 0) GTEST_SKIP() << "the other tests are without root";
  if (run_program("setpriv --version").code != 0) GTEST_SKIP() << "there is no setpriv";
  fs::copy(VTAX_PROGRAM, folder_ / "vtax");
  fs::permissions(folder_, fs::perms::all);
  const std::string nobody = "cd " + folder_.string() + " && HOME=" + folder_.string() +
                             " setpriv --reuid=65534 --regid=65534 --clear-groups ./vtax ";
  const auto doctor = run_program(nobody + "doctor --json");
  const json checks = json::parse(doctor.out, nullptr, false);
  ASSERT_FALSE(checks.is_discarded()) << doctor.err;
  for (const json& check : checks["host"])
    if (check["name"] == "container" && check["state"] != "good") GTEST_SKIP() << check["detail"];
  const auto before = traces();
  expect_shaped(run_program(nobody + "run " + study("container", kShaped)));
  EXPECT_THAT(left_behind(before), testing::IsEmpty());
}

TEST_F(Host, DatagramsMayBeLargerThanAPacket) {
  need("native");
  const auto result = run(study("native,container",
                                "udp-stream --set bytes=1048576 --set write_bytes=8192 --set rate_mbps=20 "
                                "--set warmup_bytes=65536 --set offloads=on --json"));
  ASSERT_EQ(result.code, 0) << result.err;
  const json out = json::parse(result.out);
  ASSERT_EQ(out["trials"].size(), 2U);
  for (const json& trial : out["trials"]) expect_balance(trial);
}

TEST_F(Host, WorkWithoutTrafficIsItsSystems) {
  need("container");
  if (IsSkipped()) return;
  const auto result = run(study(
      "native,container", "cpu-loop --set iterations=100000000 --set offloads=on --set guests=2 --json"));
  ASSERT_EQ(result.code, 0) << result.err;
  const json out = json::parse(result.out);
  ASSERT_EQ(out["trials"].size(), 2U);
  for (const json& trial : out["trials"]) {
    expect_balance(trial);
    EXPECT_EQ(trial["work"]["transactions"], 200000000);
    EXPECT_GT(sum(trial, "program", "host"), 10'000'000U);
  }
}

class HostGuest : public Host, public testing::WithParamInterface<std::string> {};

TEST_P(HostGuest, IsMeasuredFromOutside) {
  need(GetParam());
  if (IsSkipped()) return;
  const auto before = traces();
  const auto result =
      run(study(GetParam(), "tcp-rr --set transactions=2000 --set hardware_counters=on --json"));
  ASSERT_EQ(result.code, 0) << result.err;
  const json out = json::parse(result.out);
  for (const json& trial : out["trials"]) {
    expect_balance(trial);
    EXPECT_EQ(trial["work"]["transactions"], 2000);
    EXPECT_GT(sum(trial, "", "guest1"), 0U);
    if (trial["provenance"]["meter"]["span_ns"].get<double>() > 1e9) expect_course(trial);
  }
  EXPECT_THAT(left_behind(before), testing::IsEmpty());
}

TEST_P(HostGuest, OfWhichThereAreTwoHasRowsOfItsOwn) {
  need(GetParam());
  if (IsSkipped()) return;
  const auto before = traces();
  const auto result = run(
      study(GetParam(),
            "tcp-rr --set transactions=1000 --set offloads=on --set guests=2 --set loads=opposed --json"));
  ASSERT_EQ(result.code, 0) << result.err;
  const json out = json::parse(result.out);
  ASSERT_EQ(out["trials"].size(), 1U);
  const json& trial = out["trials"][0];
  expect_balance(trial);
  EXPECT_EQ(trial["work"]["transactions"], 2000);
  EXPECT_EQ(trial["guests"].size(), 2U);
  for (const char* guest : {"guest1", "guest2"}) EXPECT_GT(sum(trial, "", guest), 0U) << guest;
  EXPECT_THAT(left_behind(before), testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(All, HostGuest,
                         testing::Values("uml", "qemu", "xen-pv", "xen-pvh", "xen-hvm-pv", "xen-hvm"));

// vtax in a session of its own, killed at random moments of its life.
class HostKilled : public Host, public testing::WithParamInterface<std::string> {};

TEST_P(HostKilled, LeavesNothing) {
  need(GetParam());
  if (IsSkipped()) return;
  const auto before = traces();
  std::mt19937 random(7);
  for (int round = 0; round < 10; ++round) {
    const fs::path out = folder_ / "killed.vtax";
    fs::remove(out);
    start_and_kill({VTAX_PROGRAM, "run", "first-look", "--machine", "host", "--set", "platform=" + GetParam(),
                    "--set", "workload=tcp-rr", "--out", out.string()},
                   folder_, std::chrono::milliseconds(random() % 2500));
    EXPECT_THAT(left_behind(before), testing::IsEmpty()) << "round " << round;
  }
}

INSTANTIATE_TEST_SUITE_P(All, HostKilled, testing::Values("container", "uml", "qemu", "xen-pv", "xen-hvm"));

// At any moment of its first 40 ms: before its handlers it dies of the signal, afterwards it says so; what it
// has not found by then is no fault of the computer.
TEST_F(Host, AnInterruptionAtTheBeginningIsOne) {
  need("container");
  if (IsSkipped()) return;
  const auto before = traces();
  int orderly = 0;
  for (int i = 0; i < 80; ++i) {
    const fs::path words = folder_ / "words";
    const pid_t child = fork();
    if (child == 0) {
      const int said = open(words.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
      for (const int fd : {1, 2}) dup2(said, fd);
      execl(VTAX_PROGRAM, "vtax", "run", "first-look", "--machine", "host", "--set", "platform=container",
            "--set", "workload=tcp-rr", "--out", (folder_ / "early.vtax").c_str(),
            static_cast<char*>(nullptr));
      _exit(127);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(500 * i));
    kill(child, SIGINT);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    fs::remove(folder_ / "early.vtax");
    const std::string text = read_text(words).value_or("");
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("as root"))) << i;
    if (WIFSIGNALED(status)) {
      EXPECT_EQ(WTERMSIG(status), SIGINT) << i;
      continue;
    }
    EXPECT_EQ(WEXITSTATUS(status), 130) << i << text;
    EXPECT_THAT(text, testing::HasSubstr("interrupted")) << i;
    ++orderly;
  }
  EXPECT_GT(orderly, 10);
  EXPECT_THAT(left_behind(before), testing::IsEmpty());
}

TEST_F(Host, ASecondRunHasAFileOfItsOwn) {
  const std::string arguments = study("native", "tcp-rr --quick --reps 1");
  ASSERT_EQ(run(arguments).code, 0);
  const auto second = run(arguments);
  ASSERT_EQ(second.code, 0) << second.err;
  EXPECT_THAT(second.err,
              testing::HasSubstr("first-look.vtax is there already: this run goes into first-look-2.vtax"));
  EXPECT_TRUE(fs::exists(folder_ / "first-look-2.vtax"));
  const auto resumed = run(arguments + " --resume");
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, testing::HasSubstr("going on with first-look-2.vtax"));
  EXPECT_FALSE(fs::exists(folder_ / "first-look-3.vtax"));
}

// A run that --set, --reps and --machine shaped goes on by its file alone; whoever names other settings is
// refused.
TEST_F(Host, ARunGoesOnByItsFileAlone) {
  const auto whole = run(study("native", "tcp-rr --reps 2 --set transactions=300 --out whole.vtax"));
  ASSERT_EQ(whole.code, 0) << whole.err;
  const auto resumed = run("whole.vtax --resume");
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, testing::HasSubstr("are in whole.vtax already"));
  const auto changed = run("whole.vtax --resume --set transactions=200");
  EXPECT_EQ(changed.code, 2);
  EXPECT_THAT(changed.err, testing::HasSubstr("a run file has settings of its own"));
}

TEST_F(Host, AStudysNameIsNoPath) {
  std::ofstream(folder_ / "s.toml")
      << "name = \"../evil\"\nmachine = \"host\"\n[factors]\nplatform = \"native\"\n"
         "[[workload]]\nname = \"tcp-rr\"\ntransactions = 100\n";
  const auto result = run("s.toml --reps 1");
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_TRUE(fs::exists(folder_ / "evil.vtax"));
  EXPECT_FALSE(fs::exists(folder_.parent_path() / "evil.vtax"));
}

TEST_F(Host, WhatAPlatformCannotDoIsLeftOut) {
  need("container");
  if (IsSkipped()) return;
  const auto result = run(study("native,container,uml", "disk --set bytes=1048576 --reps 1 --json"));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, testing::HasSubstr("left out: on machine host platform 'uml' has no disk"));
  EXPECT_EQ(json::parse(result.out)["trials"].size(), 2U);
}

TEST_F(Host, XenIsRefusedBeforeAnythingRuns) {
  if (host::examine_platform(PlatformId::xen_pv).state != lab::State::missing) GTEST_SKIP() << "it runs here";
  const auto result = run(study("xen-pv", "tcp-rr"));
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, testing::HasSubstr("cannot run the platform xen-pv on this computer"));
  EXPECT_TRUE(fs::is_empty(folder_));
}

// Every test's environment has VTAX_NO_KVM (tests/CMakeLists.txt); here also when it is run by hand.
TEST_F(Host, KvmIsRefusedWhereItIsForbidden) {
  setenv(host::kNoKvmVariable, "1", 1);
  for (const std::string platform : {"kvm", "kvm-qemu"}) {
    const auto result = run(study(platform, "tcp-rr"));
    EXPECT_EQ(result.code, 3);
    EXPECT_THAT(result.err, testing::HasSubstr("cannot run the platform " + platform + " on this computer"));
    EXPECT_THAT(result.err, testing::HasSubstr("VTAX_NO_KVM is set"));
    EXPECT_TRUE(fs::is_empty(folder_));
  }
}

TEST_F(Host, CardsAreRefused) {
  const auto result = run(study("native", "tcp-rr --set topology=card"));
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, testing::HasSubstr("only topology 'inside'"));
}

}  // namespace
}  // namespace vtax
