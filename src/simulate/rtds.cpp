#include <algorithm>
#include <utility>

#include "simulate/scheduler.h"

// Xen's rtds: the earliest deadline first over all CPUs, each virtual CPU a deferrable server, which keeps
// its budget while it sleeps. One with extra time that has used its budget goes on, a level below all that
// have not.
namespace vtax::simulate {
namespace {

constexpr Ns kRtdsPeriod = 10 * kMs, kRtdsBudget = 4 * kMs;

class Rtds final : public Scheduler {
 public:
  void charge(int vcpu, Ns ran, Ns) override {
    State& state = its(vcpu);
    state.left -= ran;
    if (state.left > 0 || !of(vcpu).share.extra) return;
    state.left = state.budget;
    ++state.level;
  }

  Turn choose(int cpu, Ns now, int last) override {
    Turn turn;
    for (int i = 0; i < count(); ++i) {
      if (!is_candidate(i, cpu)) continue;
      renew(i, now);
      turn.most = std::min(turn.most, its(i).deadline - now);
      if (its(i).left <= 0) continue;
      if (turn.vcpu == kNobody || key(i) < key(turn.vcpu) || (i == last && key(i) == key(turn.vcpu)))
        turn.vcpu = i;
    }
    if (turn.vcpu != kNobody) turn.most = std::min(turn.most, its(turn.vcpu).left);
    return turn;
  }

  std::optional<Ns> preempts_in(int woken, int running, Ns now) override {
    renew(woken, now);
    if (its(woken).left <= 0) return its(woken).deadline - now;
    if (key(woken) < key(running)) return 0;
    return std::nullopt;
  }

 private:
  struct State {
    Ns period = kRtdsPeriod, budget = kRtdsBudget;
    Ns left = 0, deadline = 0;
    std::uint64_t level = 0;
  };

  void added(int vcpu) override {
    State state;
    if (of(vcpu).share.period > 0) state = {of(vcpu).share.period, of(vcpu).share.slice, 0, 0, 0};
    states_.push_back(state);
  }
  void woke(int vcpu, Ns now) override { renew(vcpu, now, now >= its(vcpu).deadline); }

  [[nodiscard]] State& its(int vcpu) { return states_[static_cast<std::size_t>(vcpu)]; }
  [[nodiscard]] std::pair<std::uint64_t, Ns> key(int vcpu) { return {its(vcpu).level, its(vcpu).deadline}; }

  // `is_new`: its periods begin anew.
  void renew(int vcpu, Ns now, bool is_new = false) {
    State& state = its(vcpu);
    if (is_new) {
      state.deadline = now + state.period;
    } else if (now >= state.deadline) {
      state.deadline += ((now - state.deadline) / state.period + 1) * state.period;
    } else {
      return;
    }
    state.left = state.budget;
    state.level = 0;
  }

  std::vector<State> states_;
};

}  // namespace

std::unique_ptr<Scheduler> make_rtds() {
  return std::make_unique<Rtds>();
}

}  // namespace vtax::simulate
