#include <algorithm>

#include "simulate/scheduler.h"

// Xen's credit scheduler. Every 30 ms what all CPUs of the pool could do is given out by weight, each virtual
// CPU at most what one CPU can do, or its cap. Who has credit is "under", who owes is "over"; a woken one
// that is under is boosted until the next tick. Each class takes turns of 30 ms. Here credit is nanoseconds.
namespace vtax::simulate {
namespace {

constexpr Ns kCreditSlice = 30 * kMs;  // also the time between two accountings
constexpr Ns kCreditTick = 10 * kMs;
constexpr Ns kCreditRateLimit = 1 * kMs;

class Credit final : public Scheduler {
 public:
  void charge(int vcpu, Ns ran, Ns) override {
    its(vcpu).credit -= ran;
    its(vcpu).was_active = true;
  }

  Turn choose(int cpu, Ns now, int last) override {
    advance(now);
    if (last != kNobody && its(last).rank == Rank::boost && now >= its(last).boost_end)
      its(last).rank = Rank::under;
    const bool is_over = last != kNobody && now - its(last).began >= kCreditSlice;
    if (is_over) its(last).place = ++places_;
    int best = kNobody;
    for (int i = 0; i < count(); ++i)
      if (is_candidate(i, cpu) && !its(i).is_parked && (best == kNobody || is_before(i, best))) best = i;
    if (best == kNobody) return {kNobody, accounting_ - now};
    const Ns left_alone = last == kNobody ? 0 : its(last).began + kCreditRateLimit - now;
    bool is_limited = false;
    if (best != last && last != kNobody && !its(last).is_parked && !is_over) {
      is_limited = its(best).rank < its(last).rank && left_alone > 0;
      if (is_limited || its(best).rank >= its(last).rank) best = last;
    }
    if (best != last || is_over) {
      its(best).began = now;
      its(best).boost_end = (now / kCreditTick + 1) * kCreditTick;
      if (last != kNobody) its(last).place = ++places_;
    }
    Turn turn{best, is_limited ? left_alone : accounting_ - now};
    turn.most = std::min(turn.most, its(best).began + kCreditSlice - now);
    if (its(best).rank == Rank::boost) turn.most = std::min(turn.most, its(best).boost_end - now);
    return turn;
  }

  std::optional<Ns> preempts_in(int woken, int running, Ns now) override {
    if (its(woken).is_parked) return accounting_ - now;
    if (its(woken).rank >= its(running).rank) return std::nullopt;
    return std::max<Ns>(0, kCreditRateLimit - (now - its(running).began));
  }

 private:
  enum class Rank { boost, under, over };
  struct State {
    Ns credit = 0;
    Rank rank = Rank::under;
    bool is_parked = false, was_active = false;
    Ns began = 0, boost_end = 0;
    std::uint64_t place = 0;  // in its class's queue
  };

  void added(int) override { states_.push_back({}); }
  void woke(int vcpu, Ns now) override {
    advance(now);
    its(vcpu).place = ++places_;
    if (its(vcpu).rank == Rank::under) its(vcpu).rank = Rank::boost;
  }

  [[nodiscard]] State& its(int vcpu) { return states_[static_cast<std::size_t>(vcpu)]; }
  [[nodiscard]] bool is_before(int a, int b) {
    return its(a).rank != its(b).rank ? its(a).rank < its(b).rank : its(a).place < its(b).place;
  }

  void advance(Ns now) {
    while (now >= accounting_) {
      account();
      accounting_ += kCreditSlice;
    }
  }

  [[nodiscard]] Ns most_of(int vcpu) const {
    const int cap = of(vcpu).share.cap_percent;
    return cap == 0 ? kCreditSlice : kCreditSlice * cap / 100;
  }

  // What some cannot use goes to the others.
  void account() {
    std::vector<int> open;
    for (int i = 0; i < count(); ++i)
      if (its(i).was_active || of(i).runnable) open.push_back(i);
    Ns left = kCreditSlice * cpus_;
    for (bool changed = true; changed && !open.empty();) {
      changed = false;
      Ns weights = 0;
      for (const int i : open) weights += of(i).share.weight;
      const Ns pool = left;
      for (auto i = open.begin(); i != open.end();) {
        if (pool * of(*i).share.weight / weights < most_of(*i)) {
          ++i;
          continue;
        }
        give(*i, most_of(*i));
        left -= most_of(*i);
        i = open.erase(i);
        changed = true;
      }
      if (changed) continue;
      for (const int i : open) give(i, pool * of(i).share.weight / weights);
    }
    for (State& state : states_) state.was_active = false;
  }

  void give(int vcpu, Ns credit) {
    State& state = its(vcpu);
    state.credit += credit;
    if (state.credit < 0) {
      state.rank = Rank::over;
      if (of(vcpu).share.cap_percent > 0 && state.credit < -most_of(vcpu)) state.is_parked = true;
      return;
    }
    if (state.rank == Rank::over) state.rank = Rank::under;
    state.is_parked = false;
    if (state.credit > kCreditSlice) state.credit /= 2;
  }

  std::vector<State> states_;
  Ns accounting_ = kCreditSlice;
  std::uint64_t places_ = 0;
};

}  // namespace

std::unique_ptr<Scheduler> make_credit() {
  return std::make_unique<Credit>();
}

}  // namespace vtax::simulate
