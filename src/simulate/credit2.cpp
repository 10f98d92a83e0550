#include <algorithm>

#include "simulate/scheduler.h"

// Xen's credit2. Whoever runs burns credit, the heaviest at one a nanosecond, lighter ones faster; the one
// with most credit runs. When the chosen one has none left, all get more. What is not known here: run queues
// by socket and the balancing between them. One run queue serves all CPUs.
namespace vtax::simulate {
namespace {

constexpr Ns kCredit2Given = 10 * kMs;       // at the begin and with each reset
constexpr Ns kCredit2Least = -10 * kMs;      // no one owes more
constexpr Ns kCredit2Carried = 500 * kUs;    // most that outlives a reset
constexpr Ns kCredit2LeastTurn = 500 * kUs;  // before the scheduler's own timer
constexpr Ns kCredit2MostTurn = 10 * kMs;
constexpr Ns kCredit2RateLimit = 1 * kMs;   // who has begun is left alone for so long
constexpr Ns kCredit2Tolerance = 50 * kUs;  // by so much must a woken one be ahead
constexpr Ns kCredit2CapPeriod = 10 * kMs;

class Credit2 final : public Scheduler {
 public:
  explicit Credit2(bool counts_descheduled) : counts_descheduled_(counts_descheduled) {}

  void charge(int vcpu, Ns ran, Ns) override {
    State& state = its(vcpu);
    state.credit = std::max(kCredit2Least, state.credit - ran * heaviest_ / of(vcpu).share.weight);
    if (of(vcpu).share.cap_percent > 0) state.budget -= ran;
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
    if (!is_left_alone && its(turn.vcpu).credit <= 0) reset(turn.vcpu);
    if (turn.vcpu != last) its(turn.vcpu).began = now;
    turn.most = std::min(time_for(turn.vcpu, cpu, last), until_refill(cpu, now));
    if (of(turn.vcpu).share.cap_percent > 0) turn.most = std::min(turn.most, its(turn.vcpu).budget);
    return turn;
  }

  std::optional<Ns> preempts_in(int woken, int running, Ns now) override {
    refill(now);
    if (is_parked(woken)) return its(woken).refill_at - now;
    if (its(woken).credit <= its(running).credit + kCredit2Tolerance) return std::nullopt;
    return std::max<Ns>(0, kCredit2RateLimit - (now - its(running).began));
  }

 private:
  struct State {
    Ns credit = kCredit2Given;
    Ns began = 0;                  // its turn
    Ns budget = 0, refill_at = 0;  // of a capped one, in its period
  };

  void added(int vcpu) override {
    heaviest_ = std::max(heaviest_, Ns{of(vcpu).share.weight});
    states_.push_back({});
    states_.back().budget = budget_of(vcpu);
    states_.back().refill_at = kCredit2CapPeriod;
  }
  void woke(int, Ns) override {}

  [[nodiscard]] State& its(int vcpu) { return states_[static_cast<std::size_t>(vcpu)]; }
  [[nodiscard]] Ns budget_of(int vcpu) const { return kCredit2CapPeriod * of(vcpu).share.cap_percent / 100; }
  [[nodiscard]] bool is_parked(int vcpu) { return of(vcpu).share.cap_percent > 0 && its(vcpu).budget <= 0; }

  void refill(Ns now) {
    for (int i = 0; i < count(); ++i) {
      State& state = its(i);
      if (of(i).share.cap_percent == 0 || now < state.refill_at) continue;
      const Ns periods = (now - state.refill_at) / kCredit2CapPeriod + 1;
      state.budget = std::min(budget_of(i), state.budget + periods * budget_of(i));
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

  // Of whoever is deep in debt one gift would not do.
  void reset(int chosen) {
    const Ns times = its(chosen).credit <= kCredit2Least ? 2 : 1;
    for (State& state : states_)
      state.credit = std::min(state.credit, kCredit2Carried) + times * kCredit2Given;
  }

  // Until its credit is that of the next in the queue, or none. Before 4.21 the one that has just run was not
  // in the queue yet when this was worked out.
  Ns time_for(int vcpu, int cpu, int last) {
    Ns credit = its(vcpu).credit;
    int next = kNobody;
    for (int i = 0; i < count(); ++i) {
      if (i == vcpu || (i == last && !counts_descheduled_) || !is_candidate(i, cpu) || is_parked(i)) continue;
      if (next == kNobody || its(i).credit > its(next).credit) next = i;
    }
    if (next != kNobody && its(next).credit > 0) credit -= its(next).credit;
    const Ns least = std::max(kCredit2LeastTurn, kCredit2RateLimit);
    return std::clamp(credit * of(vcpu).share.weight / heaviest_, least, kCredit2MostTurn);
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
