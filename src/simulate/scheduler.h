#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/enum_names.h"
#include "simulate/event_loop.h"

namespace vtax::simulate {

inline constexpr Ns kUs = 1000, kMs = 1000 * kUs, kSecond = 1000 * kMs;
inline constexpr Ns kForever = std::numeric_limits<Ns>::max() / 4;
inline constexpr int kNobody = -1;

// What a virtual CPU is promised; each scheduler reads what it knows.
struct Share {
  int weight = 256;
  int cap_percent = 0;                    // of a CPU; 0: none
  Ns cap_begin = 0;                       // of its first period; credit2 alone reads it
  std::uint64_t cpus = ~std::uint64_t{};  // where it may run, a bit each
  Ns period = 0, slice = 0;               // a reservation; 0: the scheduler's usual one
  bool extra = true;                      // time beyond the reservation, when nobody else wants it
  Ns latency = 0;                         // Atropos: how soon after it wakes
  Ns warp = 0;                            // BVT: how far it may borrow
};

// Who runs next, and for how long before the scheduler wants to be asked again.
struct Turn {
  int vcpu = kNobody;
  Ns most = kForever;
};

// Decides for the CPUs of one computer. Virtual CPUs are numbered from 0 in the order in which they were
// added. What it is told of is in the order of time.
class Scheduler {
 public:
  Scheduler() = default;
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  virtual ~Scheduler() = default;

  void set_cpus(int cpus) { cpus_ = cpus; }
  void add(const Share& share) {
    entries_.push_back({share, false, kNobody});
    added(static_cast<int>(entries_.size()) - 1);
  }
  void wake(int vcpu, Ns now) {
    of(vcpu).runnable = true;
    woke(vcpu, now);
  }
  void sleep(int vcpu) { of(vcpu).runnable = false; }
  void run(int vcpu, int cpu) { of(vcpu).on = cpu; }  // kNobody: on none
  [[nodiscard]] const Share& share(int vcpu) const { return of(vcpu).share; }
  [[nodiscard]] bool may_run(int vcpu, int cpu) const { return (of(vcpu).share.cpus >> cpu & 1) != 0; }

  // It has run for so long until now.
  virtual void charge(int vcpu, Ns ran, Ns now) = 0;

  // `last`: who ran there until now and could go on, or nobody.
  virtual Turn choose(int cpu, Ns now, int last) = 0;

  // Whether one that woke, and may run where `running` does, takes its place: in how long; nothing: not
  // before that one's turn ends.
  virtual std::optional<Ns> preempts_in(int woken, int running, Ns now) = 0;

 protected:
  struct Entry {
    Share share;
    bool runnable = false;
    int on = kNobody;
  };

  virtual void added(int vcpu) = 0;
  virtual void woke(int vcpu, Ns now) = 0;

  [[nodiscard]] Entry& of(int vcpu) { return entries_[static_cast<std::size_t>(vcpu)]; }
  [[nodiscard]] const Entry& of(int vcpu) const { return entries_[static_cast<std::size_t>(vcpu)]; }
  [[nodiscard]] int count() const { return static_cast<int>(entries_.size()); }
  // It wants to run, may run there, and runs nowhere else.
  [[nodiscard]] bool is_candidate(int vcpu, int cpu) const {
    const Entry& entry = of(vcpu);
    return entry.runnable && (entry.on == kNobody || entry.on == cpu) && may_run(vcpu, cpu);
  }

  int cpus_ = 1;
  std::vector<Entry> entries_;
};

enum class SchedulerKind { credit2, credit2_4_21, credit, rtds, null, bvt, bvt_shipped, sedf, atropos };

}  // namespace vtax::simulate

namespace vtax {

template <>
inline constexpr auto enum_names<simulate::SchedulerKind> =
    EnumNames<simulate::SchedulerKind, 9>{{{simulate::SchedulerKind::credit2, "credit2"},
                                           {simulate::SchedulerKind::credit2_4_21, "credit2-4.21"},
                                           {simulate::SchedulerKind::credit, "credit"},
                                           {simulate::SchedulerKind::rtds, "rtds"},
                                           {simulate::SchedulerKind::null, "null"},
                                           {simulate::SchedulerKind::bvt, "bvt"},
                                           {simulate::SchedulerKind::bvt_shipped, "bvt-shipped"},
                                           {simulate::SchedulerKind::sedf, "sedf"},
                                           {simulate::SchedulerKind::atropos, "atropos"}}};

}  // namespace vtax

namespace vtax::simulate {

[[nodiscard]] std::unique_ptr<Scheduler> make_scheduler(SchedulerKind kind);

// Each in a file of its own.
[[nodiscard]] std::unique_ptr<Scheduler> make_credit2(bool counts_descheduled);
[[nodiscard]] std::unique_ptr<Scheduler> make_credit();
[[nodiscard]] std::unique_ptr<Scheduler> make_rtds();
[[nodiscard]] std::unique_ptr<Scheduler> make_null();
[[nodiscard]] std::unique_ptr<Scheduler> make_bvt(bool as_shipped, Ns allowance);
[[nodiscard]] std::unique_ptr<Scheduler> make_sedf();
[[nodiscard]] std::unique_ptr<Scheduler> make_atropos();

inline constexpr Ns kBvtAllowance = 5 * kMs;

}  // namespace vtax::simulate
