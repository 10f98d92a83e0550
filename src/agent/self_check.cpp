#include "agent/self_check.h"

#include <x86intrin.h>

#include <thread>

#include "agent/lab_layout.h"
#include "agent/lab_ports.h"
#include "workload/measure/marker.h"

namespace vtax::agent {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Both domains work at `begin`, counted from the order, and the window ends at `end`; the guest says nothing
// until well after that, so that no control traffic is in the window.
constexpr milliseconds kWindowOpens{500}, kBegin{1000}, kEnd{2000}, kAnswer{3000};

struct Watched {
  std::uint64_t tsc_ticks = 0;
  std::chrono::nanoseconds duration{};
};

Watched watch(const PreparedWork& work) {
  const auto before = Clock::now();
  const std::uint64_t first = __rdtsc();
  marker::begin_window();
  work.do_now();
  marker::end_window();
  const std::uint64_t last = __rdtsc();
  return {last - first, Clock::now() - before};
}

// Brings the code itself into memory, so that it faults in no window.
Result<> rehearse(bool ports) {
  const auto rehearsal = PreparedWork::prepare({1, 1, 1, ports ? 1U : 0U, 0});
  if (!rehearsal) return fail(rehearsal.error());
  rehearsal->do_now();
  return {};
}

}  // namespace

nlohmann::json check_result(std::chrono::nanoseconds window) {
  return {{"window_virtual_ns", window.count()},
          {"work", {{"bytes", 0}, {"packets", 0}, {"transactions", 0}}},
          {"devices", nlohmann::json::array()}};
}

Result<SelfCheck> self_check_from(const JsonFields& plan) {
  SelfCheck check;
  if (plan.has("queue")) {
    if (plan.has("work") || plan.has("guest_work") || plan.has("share_cpu"))
      return fail(plan.bad("'queue' stands alone"));
    const auto fields = plan.object("queue");
    if (!fields) return fail(fields.error());
    auto queue = PacedQueue::from(*fields);
    if (!queue) return fail(queue.error());
    check.queue = *queue;
    return check;
  }
  const auto own = plan.object("work");
  if (!own) return fail(own.error());
  const auto work = KnownWork::from(*own);
  if (!work) return fail(work.error());
  check.work = *work;
  if (plan.has("guest_work")) {
    const auto theirs = plan.array("guest_work", lab::kMostGuests);
    if (!theirs) return fail(theirs.error());
    for (const nlohmann::json& one : *theirs) {
      if (!one.is_object()) return fail(plan.bad("'guest_work' has an entry that is no object"));
      const auto guest = KnownWork::from(JsonFields("read the plan", one));
      if (!guest) return fail(guest.error());
      check.guests.push_back(*guest);
    }
  }
  if (plan.has("share_cpu")) {
    const auto share = plan.boolean("share_cpu");
    if (!share) return fail(share.error());
    check.share_cpu = *share;
  }
  return check;
}

Result<nlohmann::json> check_alone(const KnownWork& work) {
  const auto prepared = PreparedWork::prepare(work);
  if (!prepared) return fail(prepared.error());
  if (Result<> done = rehearse(work.port_accesses > 0); !done) return fail(done.error());
  // What the preparation left for later (freed memory, a card that went away) is done by then.
  std::this_thread::sleep_for(kWindowOpens);
  const Watched watched = watch(*prepared);
  nlohmann::json result = check_result(watched.duration);
  result["tsc_ticks"] = watched.tsc_ticks;
  return result;
}

Result<nlohmann::json> check_beside_guests(const SelfCheck& check, std::span<EndpointClient> guests) {
  const auto prepared = PreparedWork::prepare(check.work);
  if (!prepared) return fail(prepared.error());
  if (Result<> done = rehearse(check.work.port_accesses > 0); !done) return fail(done.error());
  lab_ports::close();
  const Clock::time_point start = Clock::now();
  for (std::size_t i = 0; i < check.guests.size(); ++i)
    if (Result<> told = guests[i].tell({{"do", "known-work"}, {"work", check.guests[i].to_json()}}); !told)
      return fail(told.error());

  std::this_thread::sleep_until(start + kWindowOpens);
  const Clock::time_point opened = Clock::now();
  marker::begin_window();
  std::this_thread::sleep_until(start + kBegin);
  prepared->do_now();
  const Clock::time_point done = Clock::now();
  std::this_thread::sleep_until(start + kEnd);
  marker::end_window();
  const Clock::time_point closed = Clock::now();
  if (Result<> opened_again = lab_ports::open(); !opened_again) return fail(opened_again.error());

  bool outlasts = done > start + kEnd;
  for (std::size_t i = 0; i < check.guests.size(); ++i) {
    const auto message = guests[i].wait_for("done", std::chrono::seconds(60));
    if (!message) return fail(message.error());
    const auto duration = message->number("duration_ns", 0, 3'600'000'000'000);
    if (!duration) return fail(duration.error());
    outlasts = outlasts || std::chrono::nanoseconds(*duration) > kEnd - kBegin - milliseconds(200);
  }
  if (outlasts)
    return fail(
        Error{"check several domains at once", "their work outlasts the window", "", ExitCode::usage});
  return check_result(closed - opened);
}

Result<nlohmann::json> obey_known_work(const JsonFields& order) {
  const Clock::time_point start = Clock::now();
  const auto fields = order.object("work");
  if (!fields) return fail(fields.error());
  const auto work = KnownWork::from(*fields);
  if (!work) return fail(work.error());
  const auto prepared = PreparedWork::prepare(*work);
  if (!prepared) return fail(prepared.error());
  if (Result<> done = rehearse(false); !done) return fail(done.error());
  std::this_thread::sleep_until(start + kBegin);
  const Clock::time_point before = Clock::now();
  prepared->do_now();
  const auto duration = Clock::now() - before;
  std::this_thread::sleep_until(start + kAnswer);
  return nlohmann::json{{"state", "done"}, {"duration_ns", std::chrono::nanoseconds(duration).count()}};
}

}  // namespace vtax::agent
