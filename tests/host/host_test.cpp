// Studies of processes and containers on this computer, through the built vtax: what they measure.

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>

#include "tests/host/host_study.h"
#include "tests/host/traces.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

TEST_F(Host, NativeAndContainerAreMeasuredInCpuTime) {
  need_platform("container");
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
    const auto ours = host_time(trial, "kernel", "host") + host_time(trial, "program", "host") +
                      host_time(trial, "uncharged", "host");
    EXPECT_GT(ours, 10'000'000U) << "half a gigabyte costs more than 10 ms";
    EXPECT_GT(host_time(trial, "kernel"), host_time(trial, "program"));
  }
  EXPECT_THAT(left_behind(before), testing::IsEmpty());
}

// Of traffic, of a web server, of work without traffic, and on a disk; the amounts of the study's file are
// where they grow from.
TEST_F(Host, WindowsGrowToTheirLength) {
  need_platform("container");
  if (IsSkipped()) return;
  const auto result = run(study("native,container",
                                "tcp-rr,udp-rr,tcp-crr,tcp-stream,http,linpack,disk --set window_ms=300 "
                                "--set offloads=off --set direction=receive --set write_bytes=65536 --json"));
  ASSERT_EQ(result.code, 0) << result.err;
  const json out = json::parse(result.out);
  ASSERT_EQ(out["trials"].size(), 14U);
  int near = 0;
  for (const json& trial : out["trials"]) {
    expect_balance(trial);
    const double window_ms = trial["window_ns"].get<double>() * 1e-6;
    // A neighbour of this computer may have slowed the tries, or the window itself.
    EXPECT_GT(window_ms, 30) << trial["factors"];
    if (window_ms > 100 && window_ms < 1500) ++near;
    const json& growth = trial["provenance"]["window_growth"];
    EXPECT_GE(growth["tries"], 1);
    EXPECT_GE(growth["to"], growth["from"]);
    EXPECT_EQ(trial["factors"].value(growth["factor"].get<std::string>(), ""),
              std::to_string(growth["from"].get<std::uint64_t>()));
    if (trial["factors"]["workload"] == "disk") {
      EXPECT_NE(trial["provenance"]["disk"]["folder"], "memory");
    }
  }
  EXPECT_GE(near, 11) << "windows of 300 ms, of 14";
  EXPECT_THAT(result.err, testing::HasSubstr("14 trials, 1 of each cell: "));
}

// Half a second of both and more; the slices add up, and the bytes on the devices are the work's with
// headers.
TEST_F(Host, AWindowHasACourse) {
  need_platform("container");
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
  need_platform("container");
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
  need_platform("native");
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
      EXPECT_GT(host_time(trial, "kernel", "host") + host_time(trial, "program", "host") +
                    host_time(trial, "uncharged", "host"),
                1'000'000U);
    }
    fs::remove(folder_ / "first-look.vtax");
  }
  EXPECT_TRUE(fs::is_empty(folder_)) << "the disk stayed";
  EXPECT_THAT(left_behind(before), testing::IsEmpty());
}

TEST_F(Host, ServesTheWeb) {
  need_platform("native");
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
  need_platform("container");
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
  need_platform("container");
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
  need_platform("native");
  const auto result = run(study("native,container",
                                "udp-stream --set bytes=1048576 --set write_bytes=8192 --set rate_mbps=20 "
                                "--set warmup_bytes=65536 --set offloads=on --json"));
  ASSERT_EQ(result.code, 0) << result.err;
  const json out = json::parse(result.out);
  ASSERT_EQ(out["trials"].size(), 2U);
  for (const json& trial : out["trials"]) expect_balance(trial);
}

TEST_F(Host, WorkWithoutTrafficIsItsSystems) {
  need_platform("container");
  if (IsSkipped()) return;
  const auto result = run(study(
      "native,container", "cpu-loop --set iterations=100000000 --set offloads=on --set guests=2 --json"));
  ASSERT_EQ(result.code, 0) << result.err;
  const json out = json::parse(result.out);
  ASSERT_EQ(out["trials"].size(), 2U);
  for (const json& trial : out["trials"]) {
    expect_balance(trial);
    EXPECT_EQ(trial["work"]["transactions"], 200000000);
    EXPECT_GT(host_time(trial, "program", "host"), 10'000'000U);
  }
}

}  // namespace
}  // namespace vtax
