#include "simulate/earliest_deadline.h"

// Atropos, of Nemesis (Leslie et al., JSAC 1996) and Xen 1: a slice of each period, the earliest deadline
// first; who wakes after its period has ended gets a deadline of its latency, and a whole slice; what is left
// over goes round in turns, whatever anybody weighs.
namespace vtax::simulate {
namespace {

constexpr Ns kAtroposPeriod = 10 * kSecond, kAtroposSlice = 10 * kMs;  // of one that nobody has set
constexpr Ns kAtroposBestEffort = 5 * kMs;

class Atropos final : public EarliestDeadline {
 private:
  struct BestEffort {
    Ns latency = kAtroposPeriod;
    Ns in_turn = 0;
    std::uint64_t place = 0;  // in its queue
  };

  void charge_extra(int vcpu, Ns ran) override { its(vcpu).in_turn += ran; }

  Turn share_out(const std::vector<int>& spent) override {
    int other = kNobody;
    for (const int i : spent) {
      if (!of(i).share.extra) continue;
      if (its(i).in_turn >= kAtroposBestEffort) {
        its(i).in_turn = 0;
        its(i).place = ++places_;
      }
      if (other == kNobody || its(i).place < its(other).place) other = i;
    }
    return other == kNobody ? Turn() : Turn{other, kAtroposBestEffort - its(other).in_turn};
  }

  void added(int vcpu) override {
    const Share& share = of(vcpu).share;
    const bool is_set = share.period > 0;
    reserve({is_set ? share.period : kAtroposPeriod, is_set ? share.slice : kAtroposSlice, 0, 0});
    BestEffort own;
    if (is_set) own.latency = share.period;
    if (share.latency > 0) own.latency = share.latency;
    best_efforts_.push_back(own);
  }

  void woke(int vcpu, Ns now) override {
    its(vcpu).place = ++places_;
    its(vcpu).in_turn = 0;
    begin_anew(vcpu, now, its(vcpu).latency);
  }

  [[nodiscard]] BestEffort& its(int vcpu) { return best_efforts_[static_cast<std::size_t>(vcpu)]; }

  std::vector<BestEffort> best_efforts_;
  std::uint64_t places_ = 0;
};

}  // namespace

std::unique_ptr<Scheduler> make_atropos() {
  return std::make_unique<Atropos>();
}

}  // namespace vtax::simulate
