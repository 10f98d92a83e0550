// Guests of User Mode Linux, QEMU and Xen on this computer.

#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <optional>
#include <thread>
#include <vector>

#include "core/files.h"
#include "tests/host/host_study.h"
#include "tests/host/traces.h"

namespace vtax {
namespace {

using nlohmann::json;

// Kills what runs guest 1 of User Mode Linux, below this process, once its work goes over TCP.
class Killer {
 public:
  using Clock = std::chrono::steady_clock;

  Killer() : thread_([this](const std::stop_token& stop) { work(stop); }) {}
  // When it did; nothing: it found none.
  [[nodiscard]] std::optional<Clock::time_point> stop() {
    thread_.request_stop();
    thread_.join();
    return killed_;
  }

 private:
  void work(const std::stop_token& stop) {
    while (!stop.stop_requested() && !killed_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      bool works = false;
      std::vector<pid_t> guest;
      for (const std::string& trace : traces()) {
        pid_t process = 0;
        if (sscanf(trace.c_str(), "process %d", &process) != 1) continue;
        const std::string folder = "/proc/" + std::to_string(process);
        const std::string tcp = read_text(folder + "/net/tcp").value_or("");
        constexpr std::string_view kWorkPort = ":1451 ", kEstablished = " 01 ";  // 5201
        for (std::size_t at = tcp.find(kWorkPort); at != std::string::npos; at = tcp.find(kWorkPort, at + 1))
          works = works || tcp.substr(at, 30).find(kEstablished) != std::string::npos;
        if (read_text(folder + "/cmdline").value_or("").find("umid=guest1") != std::string::npos)
          guest.push_back(process);
      }
      if (!works || guest.empty()) continue;
      for (const pid_t process : guest) kill(process, SIGKILL);
      killed_ = Clock::now();
    }
  }

  std::optional<Clock::time_point> killed_;
  std::jthread thread_;
};

// The peer sends, and notices nothing.
TEST_F(Host, AGuestThatDiesInAnyWorkloadIsSaidAtOnce) {
  need_platform("uml");
  if (IsSkipped()) return;
  const auto before = traces();
  Killer killer;
  const auto result = run(study("uml",
                                "tcp-stream --set topology=inside --set offloads=on --set write_bytes=65536 "
                                "--set direction=receive --set window_ms=60000 --json"));
  const auto killed = killer.stop();
  ASSERT_TRUE(killed) << result.err;
  EXPECT_LT(Killer::Clock::now() - *killed, std::chrono::seconds(20));
  EXPECT_THAT(result.out,
              testing::HasSubstr("guest1: the process that runs it has ended: it was killed by signal 9"));
  EXPECT_THAT(left_behind(before), testing::IsEmpty());
}

class HostGuest : public Host, public testing::WithParamInterface<std::string> {};

TEST_P(HostGuest, IsMeasuredFromOutside) {
  need_platform(GetParam());
  if (IsSkipped()) return;
  const auto before = traces();
  const auto result =
      run(study(GetParam(), "tcp-rr --set transactions=2000 --set hardware_counters=on --json"));
  ASSERT_EQ(result.code, 0) << result.err;
  const json out = json::parse(result.out);
  for (const json& trial : out["trials"]) {
    expect_balance(trial);
    EXPECT_EQ(trial["work"]["transactions"], 2000);
    EXPECT_GT(host_time(trial, "", "guest1"), 0U);
    if (trial["provenance"]["meter"]["span_ns"].get<double>() > 1e9) expect_course(trial);
  }
  EXPECT_THAT(left_behind(before), testing::IsEmpty());
}

TEST_P(HostGuest, OfWhichThereAreTwoHasRowsOfItsOwn) {
  need_platform(GetParam());
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
  for (const char* guest : {"guest1", "guest2"}) EXPECT_GT(host_time(trial, "", guest), 0U) << guest;
  EXPECT_THAT(left_behind(before), testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(All, HostGuest,
                         testing::Values("uml", "qemu", "xen-pv", "xen-pvh", "xen-hvm-pv", "xen-hvm"));

}  // namespace
}  // namespace vtax
