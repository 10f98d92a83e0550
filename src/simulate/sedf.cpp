#include "simulate/earliest_deadline.h"

// Simple Earliest Deadline First, Xen 3's: a slice of each period, the earliest deadline first; what is left
// over is extra time, for those that take it, in quanta and by weight. Weights alone are slices of 100 ms, of
// what reservations leave on the same CPUs; a cap is such a slice without extra time.
namespace vtax::simulate {
namespace {

constexpr Ns kSedfExtraQuantum = 500 * kUs;
constexpr Ns kSedfWeightPeriod = 100 * kMs;

class Sedf final : public EarliestDeadline {
 private:
  void charge_extra(int vcpu, Ns ran) override { extra_used(vcpu) += ran * 256 / of(vcpu).share.weight; }

  Turn share_out(const std::vector<int>& spent) override {
    int extra = kNobody;
    for (const int i : spent)
      if (takes_extra(i) && (extra == kNobody || extra_used(i) < extra_used(extra))) extra = i;
    return extra == kNobody ? Turn() : Turn{extra, kSedfExtraQuantum};
  }

  void added(int) override {
    reserve({});
    extra_used_.push_back(0);
    for (int i = 0; i < count(); ++i) {
      const Share& share = of(i).share;
      Reservation& its = reservation(i);
      its.period = share.period > 0 ? share.period : kSedfWeightPeriod;
      if (share.period > 0)
        its.slice = share.slice;
      else if (share.cap_percent > 0)
        its.slice = kSedfWeightPeriod * share.cap_percent / 100;
      else
        its.slice = slice_by_weight(i);
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

  // Who has slept does not catch up on extra time.
  void woke(int vcpu, Ns now) override {
    begin_anew(vcpu, now, reservation(vcpu).period);
    Ns least = kForever;
    for (int i = 0; i < count(); ++i)
      if (i != vcpu && of(i).runnable) least = std::min(least, extra_used(i));
    if (least != kForever) extra_used(vcpu) = std::max(extra_used(vcpu), least);
  }

  [[nodiscard]] Ns& extra_used(int vcpu) { return extra_used_[static_cast<std::size_t>(vcpu)]; }
  [[nodiscard]] bool takes_extra(int vcpu) const {
    return of(vcpu).share.extra && of(vcpu).share.cap_percent == 0;
  }

  std::vector<Ns> extra_used_;
};

}  // namespace

std::unique_ptr<Scheduler> make_sedf() {
  return std::make_unique<Sedf>();
}

}  // namespace vtax::simulate
