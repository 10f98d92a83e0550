#include "simulate/simulated_mix.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "simulate/random.h"
#include "simulate/server_cpus.h"
#include "simulate/server_flows.h"

namespace vtax::simulate {
namespace {

constexpr Ns kMixLongest = 60 * kSecond;
constexpr std::uint64_t kNeverDone = ~std::uint64_t{0} >> 1;  // items

int guests_of(const std::vector<MixedApplication>& all) {
  int guests = 0;
  for (const MixedApplication& one : all) guests += one.spec.guests;
  return guests;
}

// One item's share of what is counted a second.
double items_a_second(const MixedApplication& one) {
  return is_exchange(one.spec.workload) ? one.a_second
                                        : one.a_second / static_cast<double>(item_bytes(one.spec));
}

class Mix {
 public:
  Mix(const std::vector<MixedApplication>& all, SchedulerKind scheduler, std::uint64_t seed)
      : all_(all),
        random_(seed),
        processors_(loop_, make_scheduler(scheduler), kFirstGuestCpu + guests_of(all)),
        in_(loop_, static_cast<double>(all.front().spec.link_mbps) * 1e6, 0),
        out_(loop_, static_cast<double>(all.front().spec.link_mbps) * 1e6, 0),
        driver_(loop_, processors_, share_of_domain0(scheduler, kDriverCpu)),
        peer_(loop_, processors_, share_of_domain0(scheduler, kPeerCpu)) {
    int number = 0;
    for (const MixedApplication& one : all) {
      flows_.push_back(std::make_unique<ServerFlows>(ServerStations{loop_, driver_, peer_, in_, out_},
                                                     one.spec, one.prices));
      guests_.emplace_back();
      for (int i = 0; i < one.spec.guests; ++i) add_guest(one, number++);
    }
  }

  void run_for(Ns time) {
    while (loop_.now() < time && loop_.step()) {
    }
  }

  [[nodiscard]] MixedOutcome outcome(std::size_t application) const {
    const MixedApplication& one = all_[application];
    MixedOutcome outcome;
    double items = 0;
    for (const Guest& guest : guests_[application]) {
      items += static_cast<double>(guest.flow->done());
      std::vector<std::uint64_t> latencies = guest.flow->latencies();
      if (latencies.empty()) continue;
      std::sort(latencies.begin(), latencies.end());
      const std::uint64_t p99 = latencies[(latencies.size() * 99 + 99) / 100 - 1];
      outcome.p99_ns = std::max(outcome.p99_ns.value_or(0), p99);
    }
    const double unit = is_exchange(one.spec.workload) ? 1 : static_cast<double>(item_bytes(one.spec));
    outcome.a_second = items * unit * static_cast<double>(kSecond) / static_cast<double>(loop_.now());
    return outcome;
  }

 private:
  struct Guest {
    std::unique_ptr<Worker> worker;
    std::unique_ptr<Flow> flow;
  };

  void add_guest(const MixedApplication& one, int number) {
    Guest guest;
    guest.worker = std::make_unique<Worker>(loop_, processors_, share_of_guest(all_.front().spec, number));
    FlowPlan plan = flows_.back()->plan_for(*guest.worker, amount_of(one.spec));
    const double a_second = items_a_second(one) / one.spec.guests;
    plan.items = kNeverDone;
    const Ns interval = std::max<Ns>(1, static_cast<Ns>(static_cast<double>(kSecond) / a_second));
    plan.interval = interval;
    guest.flow = std::make_unique<Flow>(loop_, std::move(plan));
    guest.flow->start(static_cast<Ns>(random_.uniform() * static_cast<double>(interval)));
    guests_.back().push_back(std::move(guest));
  }

  const std::vector<MixedApplication>& all_;
  EventLoop loop_;
  Random random_;
  Processors processors_;
  Wire in_, out_;
  Worker driver_, peer_;
  std::vector<std::unique_ptr<ServerFlows>> flows_;  // by application
  std::vector<std::vector<Guest>> guests_;           // likewise
};

}  // namespace

Result<std::vector<MixedOutcome>> simulate_mix(const std::vector<MixedApplication>& all,
                                               SchedulerKind scheduler, std::uint64_t seed,
                                               std::uint64_t exchanges) {
  double slowest = 0;  // of a guest, seconds between two exchanges
  for (const MixedApplication& one : all)
    if (is_exchange(one.spec.workload)) slowest = std::max(slowest, one.spec.guests / one.a_second);
  const double seconds = slowest > 0 ? slowest * static_cast<double>(exchanges) : 1;
  Mix mix(all, scheduler, seed);
  mix.run_for(
      static_cast<Ns>(std::min(seconds * static_cast<double>(kSecond), static_cast<double>(kMixLongest))));
  std::vector<MixedOutcome> outcomes;
  for (std::size_t i = 0; i < all.size(); ++i) {
    outcomes.push_back(mix.outcome(i));
    if (is_exchange(all[i].spec.workload) && !outcomes.back().p99_ns)
      return fail({"cannot simulate the applications", "one of them has not ended an exchange",
                   "its virtual CPU may never run: the scheduler gives it none", ExitCode::trial_failed});
  }
  return outcomes;
}

}  // namespace vtax::simulate
