#include <algorithm>

#include "simulate/scheduler.h"

// Simple Earliest Deadline First, Xen 3's: a slice of each period, the earliest deadline first; what is left
// over is extra time, for those that take it, in quanta and by weight. Weights alone are slices of 100 ms, of
// what reservations leave on the same CPUs; a cap is such a slice without extra time.
namespace vtax::simulate {
namespace {

constexpr Ns kSedfExtraQuantum = 500 * kUs;
constexpr Ns kSedfWeightPeriod = 100 * kMs;

class Sedf final : public Scheduler {
 public:
  void charge(int vcpu, Ns ran, Ns) override {
    State& state = its(vcpu);
    if (state.left > 0)
      state.left -= ran;
    else
      state.extra_used += ran * 256 / of(vcpu).share.weight;
  }

  Turn choose(int cpu, Ns now, int last) override {
    int first = kNobody, extra = kNobody;
    Ns release = kForever;
    for (int i = 0; i < count(); ++i) {
      if (!is_candidate(i, cpu)) continue;
      renew(i, now);
      if (its(i).left > 0) {
        if (first == kNobody || its(i).deadline < its(first).deadline ||
            (i == last && its(i).deadline == its(first).deadline))
          first = i;
        continue;
      }
      release = std::min(release, its(i).deadline - now);
      if (takes_extra(i) && (extra == kNobody || its(i).extra_used < its(extra).extra_used)) extra = i;
    }
    if (first != kNobody) return {first, std::min(its(first).left, release)};
    if (extra != kNobody) return {extra, std::min(kSedfExtraQuantum, release)};
    return {kNobody, release};
  }

  std::optional<Ns> preempts_in(int woken, int running, Ns now) override {
    renew(woken, now);
    if (its(woken).left <= 0) return its(woken).deadline - now;
    const bool is_ahead = its(running).left <= 0 || its(woken).deadline < its(running).deadline;
    return is_ahead ? std::optional<Ns>(0) : std::nullopt;
  }

 private:
  struct State {
    Ns period = 0, slice = 0;
    Ns left = 0, deadline = 0;
    Ns extra_used = 0;
  };

  void added(int) override {
    states_.emplace_back();
    for (int i = 0; i < count(); ++i) {
      const Share& share = of(i).share;
      its(i).period = share.period > 0 ? share.period : kSedfWeightPeriod;
      if (share.period > 0)
        its(i).slice = share.slice;
      else if (share.cap_percent > 0)
        its(i).slice = kSedfWeightPeriod * share.cap_percent / 100;
      else
        its(i).slice = slice_by_weight(i);
    }
  }

  Ns slice_by_weight(int vcpu) {
    Ns weights = 0, left = kSedfWeightPeriod;
    for (int i = 0; i < count(); ++i) {
      const Share& share = of(i).share;
      if (share.cpus != of(vcpu).share.cpus) continue;
      if (share.period > 0)
        left -= kSedfWeightPeriod * share.slice / share.period;
      else if (share.cap_percent > 0)
        left -= kSedfWeightPeriod * share.cap_percent / 100;
      else
        weights += share.weight;
    }
    return std::max<Ns>(0, left) * of(vcpu).share.weight / weights;
  }

  void woke(int vcpu, Ns now) override {
    State& state = its(vcpu);
    if (now >= state.deadline) {
      state.deadline = now + state.period;
      state.left = state.slice;
    }
    Ns least = kForever;
    for (int i = 0; i < count(); ++i)
      if (i != vcpu && of(i).runnable) least = std::min(least, its(i).extra_used);
    if (least != kForever) state.extra_used = std::max(state.extra_used, least);
  }

  void renew(int vcpu, Ns now) {
    State& state = its(vcpu);
    if (now < state.deadline) return;
    state.deadline += ((now - state.deadline) / state.period + 1) * state.period;
    state.left = state.slice;
  }

  [[nodiscard]] State& its(int vcpu) { return states_[static_cast<std::size_t>(vcpu)]; }
  [[nodiscard]] bool takes_extra(int vcpu) const {
    return of(vcpu).share.extra && of(vcpu).share.cap_percent == 0;
  }

  std::vector<State> states_;
};

}  // namespace

std::unique_ptr<Scheduler> make_sedf() {
  return std::make_unique<Sedf>();
}

}  // namespace vtax::simulate
