#include <algorithm>

#include "simulate/scheduler.h"

// Atropos, of Nemesis (Leslie et al., JSAC 1996) and Xen 1: a slice of each period, the earliest deadline
// first; who wakes after its period has ended gets a deadline of its latency, and a whole slice; what is left
// over goes round in turns, whatever anybody weighs.
namespace vtax::simulate {
namespace {

constexpr Ns kAtroposPeriod = 10 * kSecond, kAtroposSlice = 10 * kMs;  // of one that nobody has set
constexpr Ns kAtroposBestEffort = 5 * kMs;

class Atropos final : public Scheduler {
 public:
  void charge(int vcpu, Ns ran, Ns) override {
    State& state = its(vcpu);
    if (state.left > 0)
      state.left -= ran;
    else
      state.in_turn += ran;
  }

  Turn choose(int cpu, Ns now, int last) override {
    int first = kNobody, other = kNobody;
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
      if (!of(i).share.extra) continue;
      if (its(i).in_turn >= kAtroposBestEffort) {
        its(i).in_turn = 0;
        its(i).place = ++places_;
      }
      if (other == kNobody || its(i).place < its(other).place) other = i;
    }
    if (first != kNobody) return {first, std::min(its(first).left, release)};
    if (other != kNobody) return {other, std::min(kAtroposBestEffort - its(other).in_turn, release)};
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
    Ns period = kAtroposPeriod, slice = kAtroposSlice, latency = kAtroposPeriod;
    Ns left = 0, deadline = 0;
    Ns in_turn = 0;           // of best effort
    std::uint64_t place = 0;  // in its queue
  };

  void added(int vcpu) override {
    const Share& share = of(vcpu).share;
    State state;
    if (share.period > 0) {
      state.period = state.latency = share.period;
      state.slice = share.slice;
    }
    if (share.latency > 0) state.latency = share.latency;
    states_.push_back(state);
  }

  void woke(int vcpu, Ns now) override {
    State& state = its(vcpu);
    state.place = ++places_;
    state.in_turn = 0;
    if (now < state.deadline) return;
    state.deadline = now + state.latency;
    state.left = state.slice;
  }

  void renew(int vcpu, Ns now) {
    State& state = its(vcpu);
    if (now < state.deadline) return;
    state.deadline += ((now - state.deadline) / state.period + 1) * state.period;
    state.left = state.slice;
  }

  [[nodiscard]] State& its(int vcpu) { return states_[static_cast<std::size_t>(vcpu)]; }

  std::vector<State> states_;
  std::uint64_t places_ = 0;
};

}  // namespace

std::unique_ptr<Scheduler> make_atropos() {
  return std::make_unique<Atropos>();
}

}  // namespace vtax::simulate
