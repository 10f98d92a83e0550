#pragma once

#include <algorithm>
#include <vector>

#include "simulate/scheduler.h"

namespace vtax::simulate {

// A slice of each period, the earliest deadline first. What is left over each such scheduler shares out in
// its own way, among those that have used their slices.
class EarliestDeadline : public Scheduler {
 public:
  void charge(int vcpu, Ns ran, Ns) final {
    Reservation& its = reservation(vcpu);
    if (its.left > 0)
      its.left -= ran;
    else
      charge_extra(vcpu, ran);
  }

  Turn choose(int cpu, Ns now, int last) final {
    int first = kNobody;
    Ns release = kForever;
    spent_.clear();
    for (int i = 0; i < count(); ++i) {
      if (!is_candidate(i, cpu)) continue;
      renew(i, now);
      const Reservation& its = reservation(i);
      if (its.left <= 0) {
        release = std::min(release, its.deadline - now);
        spent_.push_back(i);
      } else if (first == kNobody || its.deadline < reservation(first).deadline ||
                 (i == last && its.deadline == reservation(first).deadline)) {
        first = i;
      }
    }
    const Turn extra = share_out(spent_);
    if (first != kNobody) return {first, std::min(reservation(first).left, release)};
    return {extra.vcpu, std::min(extra.most, release)};
  }

  std::optional<Ns> preempts_in(int woken, int running, Ns now) final {
    renew(woken, now);
    const Reservation &its = reservation(woken), &other = reservation(running);
    if (its.left <= 0) return its.deadline - now;
    const bool is_ahead = other.left <= 0 || its.deadline < other.deadline;
    return is_ahead ? std::optional<Ns>(0) : std::nullopt;
  }

 protected:
  struct Reservation {
    Ns period = 0, slice = 0;
    Ns left = 0, deadline = 0;
  };

  // It ran beyond its slice.
  virtual void charge_extra(int vcpu, Ns ran) = 0;
  // Who of these has the time that nobody's slice takes, and for how long; whether there is any or not.
  virtual Turn share_out(const std::vector<int>& spent) = 0;

  // The reservations have to be as many as there are virtual CPUs once added() has returned.
  void reserve(const Reservation& reservation) { reservations_.push_back(reservation); }
  [[nodiscard]] Reservation& reservation(int vcpu) { return reservations_[static_cast<std::size_t>(vcpu)]; }
  // Of one that wakes after its period has ended: the next ends so much later.
  void begin_anew(int vcpu, Ns now, Ns length) {
    Reservation& its = reservation(vcpu);
    if (now < its.deadline) return;
    its.deadline = now + length;
    its.left = its.slice;
  }

 private:
  void renew(int vcpu, Ns now) {
    Reservation& its = reservation(vcpu);
    if (now < its.deadline) return;
    its.deadline += ((now - its.deadline) / its.period + 1) * its.period;
    its.left = its.slice;
  }

  std::vector<Reservation> reservations_;
  std::vector<int> spent_;
};

}  // namespace vtax::simulate
