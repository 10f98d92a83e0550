#include <algorithm>

#include "simulate/scheduler.h"

// Borrowed Virtual Time (Duda and Cheriton, SOSP 1999), which the papers' Xen 2 and 3.0 had. Who runs gets
// older, in virtual time, the faster the less it weighs; the youngest runs, until it is older than the next
// one by the allowance C. One that sleeps keeps its age, but wakes no younger than the youngest that is
// awake. One that warps passes for younger, and so runs at once when it wakes.
// As published, a turn is (E' - E) / m + C: E' the next one's effective virtual time, E its own, m how fast
// it gets older. As Xen shipped it, the first term was in its units of 100 us and the second in nanoseconds,
// so that every turn is C; and a turn's age was rounded up to whole units.
namespace vtax::simulate {
namespace {

constexpr Ns kBvtUnit = 100 * kUs;
constexpr Ns kBvtAdvance = 10;               // of a unit, by whoever weighs 256
constexpr Ns kBvtAlone = 10;                 // allowances
constexpr Ns kBvtWarpLimit = 2 * kSecond;    // so long may one run warped,
constexpr Ns kBvtUnwarpLimit = 1 * kSecond;  // and then not for so long

class Bvt final : public Scheduler {
 public:
  Bvt(bool as_shipped, Ns allowance) : as_shipped_(as_shipped), allowance_(allowance) {}

  void charge(int vcpu, Ns ran, Ns now) override {
    State& state = its(vcpu);
    state.ran += ran;
    const Ns counted = as_shipped_ ? (state.ran + kBvtUnit - 1) / kBvtUnit * kBvtUnit - state.rounded : ran;
    state.rounded += as_shipped_ ? counted : 0;
    state.age += counted * state.rate;
    if (!is_warped(vcpu, now)) return;
    state.warped += ran;
    if (state.warped < kBvtWarpLimit) return;
    state.warped = 0;
    state.unwarped_until = now + kBvtUnwarpLimit;
  }

  Turn choose(int cpu, Ns now, int last) override {
    int best = youngest(cpu, now, kNobody, last);
    if (best == kNobody) return {};
    const int next = youngest(cpu, now, best, kNobody);
    if (best != last) its(best).ran = its(best).rounded = 0;
    if (next == kNobody) return {best, kBvtAlone * allowance_};
    const Ns ahead = (effective(next, now) - effective(best, now)) / its(best).rate;
    return {best, (as_shipped_ ? ahead / kBvtUnit : ahead) + allowance_};
  }

  std::optional<Ns> preempts_in(int woken, int running, Ns now) override {
    if (effective(woken, now) < effective(running, now)) return 0;
    // Nobody was there to be ahead of when the turn of a lone one began.
    const Ns ahead = (effective(woken, now) - effective(running, now)) / its(running).rate;
    return (as_shipped_ ? ahead / kBvtUnit : ahead) + allowance_;
  }

 private:
  struct State {
    Ns rate = 1;  // age a nanosecond, times 256
    Ns age = 0;   // actual virtual time
    Ns ran = 0, rounded = 0;
    Ns warped = 0, unwarped_until = 0;
  };

  void added(int vcpu) override {
    State state;
    state.rate = std::max<Ns>(1, kBvtAdvance * 256 * 256 / of(vcpu).share.weight);
    states_.push_back(state);
  }

  void woke(int vcpu, Ns) override {
    Ns least = kForever;
    for (int i = 0; i < count(); ++i)
      if (i != vcpu && of(i).runnable && (of(i).share.cpus & of(vcpu).share.cpus) != 0)
        least = std::min(least, its(i).age);
    if (least != kForever) its(vcpu).age = std::max(its(vcpu).age, least);
  }

  [[nodiscard]] State& its(int vcpu) { return states_[static_cast<std::size_t>(vcpu)]; }
  [[nodiscard]] bool is_warped(int vcpu, Ns now) {
    return of(vcpu).share.warp > 0 && now >= its(vcpu).unwarped_until;
  }
  [[nodiscard]] Ns effective(int vcpu, Ns now) {
    constexpr Ns kUsualRate = kBvtAdvance * 256;
    return its(vcpu).age - (is_warped(vcpu, now) ? of(vcpu).share.warp * kUsualRate : 0);
  }
  int youngest(int cpu, Ns now, int without, int favoured) {
    int best = kNobody;
    for (int i = 0; i < count(); ++i) {
      if (i == without || !is_candidate(i, cpu)) continue;
      const Ns mine = effective(i, now), its_best = best == kNobody ? 0 : effective(best, now);
      if (best == kNobody || mine < its_best || (mine == its_best && i == favoured)) best = i;
    }
    return best;
  }

  bool as_shipped_;
  Ns allowance_;
  std::vector<State> states_;
};

}  // namespace

std::unique_ptr<Scheduler> make_bvt(bool as_shipped, Ns allowance) {
  return std::make_unique<Bvt>(as_shipped, allowance);
}

}  // namespace vtax::simulate
