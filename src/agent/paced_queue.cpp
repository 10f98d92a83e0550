#include "agent/paced_queue.h"

#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <random>
#include <thread>

#include "agent/known_work.h"
#include "agent/lab_layout.h"
#include "agent/self_check.h"
#include "platform/placement.h"
#include "workload/measure/marker.h"

namespace vtax::agent {
namespace {

using std::chrono::nanoseconds;
using PacedClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kBeforeTheFirst{20};

void serve(const PacedQueue& queue, const PreparedWork& service, const std::atomic<std::uint32_t>& come) {
  for (std::uint32_t next = 1; next <= queue.customers; ++next) {
    for (std::uint32_t seen = come.load(); seen < next; seen = come.load()) come.wait(seen);
    marker::answer(1, next);
    service.do_now();
  }
}

}  // namespace

nlohmann::json PacedQueue::to_json() const {
  return {{"customers", customers},
          {"service_loops", service_loops},
          {"mean_gap_ns", mean_gap.count()},
          {"gaps", gaps == Gaps::constant ? "constant" : "exponential"}};
}

Result<PacedQueue> PacedQueue::from(const JsonFields& fields) {
  if (Result<> known = fields.only({"customers", "service_loops", "mean_gap_ns", "gaps"}); !known)
    return fail(known.error());
  PacedQueue queue;
  const auto customers = fields.number("customers", 1, kMostCustomers);
  if (!customers) return fail(customers.error());
  const auto loops = fields.number("service_loops", 1, KnownWork::kMostLoops);
  if (!loops) return fail(loops.error());
  const auto gap = fields.number("mean_gap_ns", 1, 1'000'000'000);
  if (!gap) return fail(gap.error());
  const auto gaps = fields.text("gaps");
  if (!gaps) return fail(gaps.error());
  if (*gaps != "constant" && *gaps != "exponential")
    return fail(fields.bad("'gaps' are constant or exponential"));
  queue.customers = *customers;
  queue.service_loops = *loops;
  queue.mean_gap = nanoseconds(*gap);
  queue.gaps = *gaps == "constant" ? Gaps::constant : Gaps::exponential;
  return queue;
}

std::vector<nanoseconds> PacedQueue::arrivals() const {
  std::vector<nanoseconds> out(customers, mean_gap);
  if (gaps == Gaps::constant) return out;
  std::mt19937_64 random(1);
  for (nanoseconds& gap : out) {
    const double uniform = (static_cast<double>(random() >> 11) + 0.5) * 0x1p-53;
    gap = nanoseconds(std::llround(-std::log(uniform) * static_cast<double>(mean_gap.count())));
  }
  return out;
}

double lindley_mean_wait_ns(const std::vector<nanoseconds>& gaps, double service_ns) {
  if (gaps.empty()) return 0;
  double wait = 0, sum = 0;
  for (std::size_t i = 1; i < gaps.size(); ++i) {
    wait = std::max(0.0, wait + service_ns - static_cast<double>(gaps[i].count()));
    sum += wait;
  }
  return sum / static_cast<double>(gaps.size());
}

Result<nlohmann::json> run_paced_queue(const PacedQueue& queue) {
  const auto service = PreparedWork::prepare({queue.service_loops, 0, 0, 0, 0});
  if (!service) return fail(service.error());
  const std::vector<nanoseconds> gaps = queue.arrivals();
  // A sleep ends when it is due, not up to 50 us later.
  prctl(PR_SET_TIMERSLACK, 1);
  std::atomic<std::uint32_t> come = 0;
  Result<> pinned;
  std::thread server([&] {
    pinned = pin(0, lab::kCardPeerCpu);
    serve(queue, *service, come);
  });
  std::this_thread::sleep_for(kBeforeTheFirst);
  const auto opened = PacedClock::now();
  marker::begin_window();
  auto due = opened + kBeforeTheFirst;
  for (std::uint32_t next = 1; next <= queue.customers; ++next) {
    due += gaps[next - 1];
    std::this_thread::sleep_until(due);
    marker::request(1, next);
    come.store(next);
    come.notify_one();
  }
  server.join();
  marker::end_window();
  const auto closed = PacedClock::now();
  if (!pinned) return fail(pinned.error());
  return check_result(closed - opened);
}

}  // namespace vtax::agent
