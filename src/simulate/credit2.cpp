#include <algorithm>
#include <utility>

#include "simulate/scheduler.h"

// Xen's credit2. Whoever runs burns credit, the heaviest at one a nanosecond, lighter ones faster; the one
// with most credit runs. When nobody who runs or waits has any left, all get more. What is not known here:
// run queues by socket and the balancing between them. One run queue serves all CPUs.
namespace vtax::simulate {
namespace {

constexpr Ns kCredit2Given = 10 * kMs;       // at the begin and with each reset
constexpr Ns kCredit2Least = -10 * kMs;      // no one owes more
constexpr Ns kCredit2Carried = 500 * kUs;    // most that outlives a reset
constexpr Ns kCredit2LeastTurn = 500 * kUs;  // before the scheduler's own timer
constexpr Ns kCredit2MostTurn = 10 * kMs;
constexpr Ns kCredit2RateLimit = 1 * kMs;   // who has begun is left alone for so long
constexpr Ns kCredit2Tolerance = 50 * kUs;  // by so much less, where one that wakes asks for its place
constexpr Ns kCredit2CapPeriod = 10 * kMs;

class Credit2 final : public Scheduler {
 public:
  explicit Credit2(bool counts_descheduled) : counts_descheduled_(counts_descheduled) {}

  void charge(int vcpu, Ns ran, Ns) override {
    State& state = its(vcpu);
    state.credit = std::max(kCredit2Least, state.credit - ran * heaviest_ / of(vcpu).share.weight);
    if (is_capped(vcpu)) state.budget -= ran;
  }

  Turn choose(int cpu, Ns now, int last) override {
    refill(now);
    Turn turn;
    const bool is_left_alone =
        last != kNobody && !is_parked(last) && now - its(last).began < kCredit2RateLimit;
    turn.vcpu = is_left_alone ? last : richest(cpu, kNobody, last);
    if (turn.vcpu == kNobody) {
      turn.most = until_refill(cpu, now);
      return turn;
    }
    if (most_credit(turn.vcpu, last) <= 0) reset(turn.vcpu);
    if (turn.vcpu != last) its(turn.vcpu).began = now;
    take_budget(turn.vcpu);
    turn.most = std::min(time_for(turn.vcpu, now, last), until_refill(cpu, now));
    return turn;
  }

  // One that wakes while another is left alone is not looked at before that one's turn ends.
  std::optional<Ns> preempts_in(int woken, int running, Ns now) override {
    refill(now);
    if (is_parked(woken)) return its(woken).refill_at - now;
    const bool is_left_alone = now - its(running).began <= kCredit2RateLimit - kCredit2Tolerance;
    if (is_left_alone || its(woken).credit <= its(running).credit) return std::nullopt;
    return 0;
  }

 private:
  struct State {
    Ns credit = kCredit2Given;
    Ns began = 0;             // its turn
    Ns budget = 0, pool = 0;  // of a capped one, in its period: what it has taken, what is left
    Ns refill_at = 0;
  };

  void added(int vcpu) override {
    heaviest_ = std::max(heaviest_, Ns{of(vcpu).share.weight});
    states_.push_back({});
    states_.back().pool = quota_of(vcpu);
    const Ns begin = of(vcpu).share.cap_begin;
    states_.back().refill_at = begin > 0 ? begin : kCredit2CapPeriod;
  }
  void woke(int, Ns) override {}

  [[nodiscard]] State& its(int vcpu) { return states_[static_cast<std::size_t>(vcpu)]; }
  [[nodiscard]] bool is_capped(int vcpu) const { return of(vcpu).share.cap_percent > 0; }
  [[nodiscard]] Ns quota_of(int vcpu) const { return kCredit2CapPeriod * of(vcpu).share.cap_percent / 100; }
  [[nodiscard]] bool is_parked(int vcpu) {
    const State& state = its(vcpu);
    return is_capped(vcpu) && state.budget <= 0 && state.pool + state.budget <= 0;
  }

  // What it overran by, it pays back.
  void take_budget(int vcpu) {
    State& state = its(vcpu);
    if (!is_capped(vcpu) || state.budget > 0) return;
    state.pool += state.budget;
    state.budget = std::min(state.pool, quota_of(vcpu));
    state.pool -= state.budget;
  }

  // Who does not run has given back what it had not used; who does keeps it beyond the period.
  void refill(Ns now) {
    for (int i = 0; i < count(); ++i) {
      State& state = its(i);
      if (!is_capped(i)) continue;
      if (of(i).on == kNobody) state.pool += std::exchange(state.budget, 0);
      if (now < state.refill_at) continue;
      const Ns periods = (now - state.refill_at) / kCredit2CapPeriod + 1;
      state.pool = std::min(quota_of(i), state.pool + periods * quota_of(i));
      state.refill_at += periods * kCredit2CapPeriod;
    }
  }

  Ns until_refill(int cpu, Ns now) {
    Ns soonest = kForever;
    for (int i = 0; i < count(); ++i)
      if (is_candidate(i, cpu) && is_parked(i)) soonest = std::min(soonest, its(i).refill_at - now);
    return soonest;
  }

  // Of equal ones `favoured`, then the first.
  int richest(int cpu, int without, int favoured) {
    int best = kNobody;
    for (int i = 0; i < count(); ++i) {
      if (i == without || !is_candidate(i, cpu) || is_parked(i)) continue;
      if (best == kNobody || its(i).credit > its(best).credit ||
          (its(i).credit == its(best).credit && i == favoured))
        best = i;
    }
    return best;
  }

  // Who is in the queue of all CPUs, whatever CPU it may run on. Before 4.21 the one that has just run is not
  // there yet when turns are worked out.
  [[nodiscard]] bool waits(int vcpu, int chosen, int last) {
    const Entry& entry = of(vcpu);
    return vcpu != chosen && entry.runnable && !is_parked(vcpu) &&
           (vcpu == last ? counts_descheduled_ : entry.on == kNobody);
  }

  // Of the chosen one and whoever waits.
  Ns most_credit(int chosen, int last) {
    Ns most = its(chosen).credit;
    for (int i = 0; i < count(); ++i)
      if (waits(i, chosen, last)) most = std::max(most, its(i).credit);
    return most;
  }

  // Of whoever is deep in debt one gift would not do.
  void reset(int chosen) {
    const Ns times = its(chosen).credit <= kCredit2Least ? 2 : 1;
    for (State& state : states_)
      state.credit = std::min(state.credit + times * kCredit2Given, kCredit2Given + kCredit2Carried);
  }

  // Until its credit is that of the next in the queue, or none, and no longer than its budget; but not so
  // short that it would not be worth the switch.
  Ns time_for(int vcpu, Ns now, int last) {
    Ns next = 0;
    for (int i = 0; i < count(); ++i)
      if (waits(i, vcpu, last)) next = std::max(next, its(i).credit);
    Ns time = std::max<Ns>(0, its(vcpu).credit - next) * of(vcpu).share.weight / heaviest_;
    if (is_capped(vcpu)) time = std::min(time, its(vcpu).budget);
    const Ns left_alone = its(vcpu).began + kCredit2RateLimit - now;
    return std::clamp(time, std::max(kCredit2LeastTurn, left_alone), kCredit2MostTurn);
  }

  bool counts_descheduled_;
  Ns heaviest_ = 1;
  std::vector<State> states_;
};

}  // namespace

std::unique_ptr<Scheduler> make_credit2(bool counts_descheduled) {
  return std::make_unique<Credit2>(counts_descheduled);
}

}  // namespace vtax::simulate
