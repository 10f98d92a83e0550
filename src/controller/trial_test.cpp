#include "controller/trial.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <thread>

#include "controller/http_trial.h"
#include "controller/local_trial.h"
#include "platform/links.h"

namespace vtax::controller {
namespace {

constexpr int kCannot = 77;

// In a child with a network namespace of its own, so that nothing on this machine changes. The child's exit
// code: 0 good, `cannot` where namespaces are not allowed, else bad with its reasons on stderr.
int in_a_namespace(const std::function<bool()>& test) {
  const pid_t child = fork();
  if (child == 0) {
    if (unshare(CLONE_NEWNET) != 0) _exit(kCannot);
    _exit(test() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TrialPlan plan(WorkKind kind) {
  TrialPlan out;
  out.offloads = false;
  out.system_initiates = true;
  out.window.kind = out.warmup.kind = kind;
  if (is_stream(kind)) {
    out.window.bytes = Bytes(1'000'000);
    out.warmup.bytes = Bytes(10'000);
    out.window.write_bytes = out.warmup.write_bytes = 1448;
  } else {
    out.window.transactions = Transactions(20);
    out.warmup.transactions = Transactions(2);
    out.window.request_bytes = out.window.response_bytes = 8;
    out.warmup.request_bytes = out.warmup.response_bytes = 8;
  }
  out.time_limit = std::chrono::seconds(20);
  return out;
}

bool good_trial(std::unique_ptr<Platform> platform, const TrialPlan& wanted, std::uint64_t least_packets) {
  Setup setup;
  setup.offloads = wanted.offloads;
  setup.system_cpu = setup.peer_cpu = sched_getcpu();
  Result<Bench> bench = platform->arrange(setup);
  if (!bench) {
    fprintf(stderr, "%s\n", bench.error().text().c_str());
    return false;
  }
  const auto result = run_trial(wanted, *bench, std::chrono::milliseconds(50));
  if (!result) {
    fprintf(stderr, "%s\n", result.error().text().c_str());
    return false;
  }
  const Done done = expected(wanted.window);
  const nlohmann::json& work = (*result)["work"];
  const bool good = work["bytes"] == done.bytes.value && work["transactions"] == done.transactions.value &&
                    work["packets"] >= least_packets && (*result)["window_virtual_ns"] > 0;
  if (!good) fprintf(stderr, "%s\n", result->dump().c_str());
  return good;
}

// A second after it has begun.
bool says_that_a_guest_dies(const TrialPlan& wanted) {
  using Clock = std::chrono::steady_clock;
  Setup setup = Setup::of(wanted);
  setup.system_cpu = setup.peer_cpu = sched_getcpu();
  const auto platform = make_container();
  Result<Bench> bench = platform->arrange(setup);
  if (!bench) return fprintf(stderr, "%s\n", bench.error().text().c_str()), false;
  int lives[2];
  if (pipe2(lives, O_CLOEXEC) != 0) return false;
  Descriptor life(lives[1]);
  const auto guests = std::make_shared<GuestEnds>();
  guests->add(Descriptor(lives[0]), [] {
    return Error{"guest2", "it has died", "", ExitCode::trial_failed};
  });
  bench->end_with(guests);
  std::thread death([&] {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    life.reset();
  });
  const auto begun = Clock::now();
  constexpr std::chrono::milliseconds kSettle{50};
  const auto result = wanted.http    ? run_http_trial(wanted, *bench, kSettle)
                      : wanted.local ? run_local_trial(wanted, *bench, {}, kSettle, {})
                                     : run_trial(wanted, *bench, kSettle);
  const auto took = Clock::now() - begun;
  death.join();
  if (!result && result.error().text() == "guest2: it has died" && took < std::chrono::seconds(6))
    return true;
  fprintf(stderr, "%s\n", result ? "it was not said" : result.error().text().c_str());
  return false;
}

void expect_good(const std::function<bool()>& test) {
  const int code = in_a_namespace(test);
  if (code == kCannot) GTEST_SKIP() << "needs the right to make a network namespace (run as root)";
  EXPECT_EQ(code, 0);
}

TEST(Trial, NativeOverLoopback) {
  // 1,000,000 bytes in segments of at most 1448.
  expect_good([] { return good_trial(make_native(), plan(WorkKind::tcp_stream), 690); });
}

TEST(Trial, ContainerBehindABridge) {
  expect_good([] { return good_trial(make_container(), plan(WorkKind::tcp_stream), 690); });
}

TEST(Trial, TheSystemMayAnswer) {
  expect_good([] {
    TrialPlan wanted = plan(WorkKind::tcp_rr);
    wanted.system_initiates = false;
    return good_trial(make_container(), wanted, 40);
  });
}

TEST(Trial, DatagramsAndConnectionsToo) {
  for (const WorkKind kind : {WorkKind::udp_stream, WorkKind::udp_rr, WorkKind::tcp_crr}) {
    expect_good([kind] {
      TrialPlan wanted = plan(kind);
      // So slowly that the socket's buffer holds what comes while a busy computer lets the receiver wait.
      if (kind == WorkKind::udp_stream)
        wanted.window.bits_per_second = wanted.warmup.bits_per_second = 8'000'000;
      return good_trial(make_container(), wanted, kind == WorkKind::udp_stream ? 690 : 40);
    });
  }
}

// Three at once, the second in the other direction, each half of the one before.
TEST(Trial, SeveralSystemsWorkAtOnce) {
  for (const bool container : {false, true}) {
    expect_good([container] {
      const auto platform = container ? make_container() : make_native();
      TrialPlan wanted = plan(WorkKind::tcp_stream);
      vtax::Setup setup;
      setup.guests = wanted.guests = 3;
      wanted.loads = Loads::halving;
      setup.offloads = false;
      setup.system_cpu = setup.peer_cpu = sched_getcpu();
      Result<Bench> bench = platform->arrange(setup);
      if (!bench) return fprintf(stderr, "%s\n", bench.error().text().c_str()), false;
      const auto result = run_trial(wanted, *bench, std::chrono::milliseconds(100));
      if (!result) return fprintf(stderr, "%s\n", result.error().text().c_str()), false;
      const nlohmann::json& guests = (*result)["guests"];
      const bool good = guests.size() == 3 && guests[0]["bytes"] == 1'000'000 &&
                        guests[1]["bytes"] == 500'000 && guests[2]["bytes"] == 250'000 &&
                        guests[2]["guest"] == (container ? "container3" : "process3") &&
                        (*result)["work"]["bytes"] == 1'750'000;
      if (!good) fprintf(stderr, "%s\n", result->dump().c_str());
      return good;
    });
  }
}

// Whoever is waited for: a partner notices nothing. None of this work is done within a second.
TEST(Trial, AGuestThatDiesEndsEachKindOfWorkAtOnce) {
  const std::map<std::string, std::string> works[] = {
      {{"workload", "tcp-stream"}, {"bytes", "17179869184"}, {"write_bytes", "1"}},
      {{"workload", "tcp-rr"}, {"transactions", "100000000"}},
      {{"workload", "udp-rr"}, {"transactions", "100000000"}, {"direction", "send"}},
      {{"workload", "http"}, {"requests", "1000000"}},
      {{"workload", "cpu-loop"}, {"iterations", "10000000000"}, {"guests", "2"}}};
  for (const auto& work : works) {
    SCOPED_TRACE(work.at("workload"));
    expect_good([&] {
      auto factors = work;
      factors.insert({{"platform", "container"}, {"topology", "inside"}});
      auto wanted = plan_for(trial_spec_of(factors).value());
      if (!wanted) return fprintf(stderr, "%s\n", wanted.error().text().c_str()), false;
      wanted->time_limit = std::chrono::seconds(20);
      return says_that_a_guest_dies(*wanted);
    });
  }
}

TEST(Trial, AContainerLeavesNoDeviceBehind) {
  expect_good([] {
    if (!good_trial(make_container(), plan(WorkKind::tcp_rr), 40)) return false;
    // The bridge can be made again only if the first is gone.
    return good_trial(make_container(), plan(WorkKind::tcp_rr), 40);
  });
}

}  // namespace
}  // namespace vtax::controller
