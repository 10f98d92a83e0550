#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "simulate/event_loop.h"
#include "simulate/scheduler.h"

namespace vtax::simulate {

// What a virtual CPU executes.
class Program {
 public:
  // Its work is done. It may give() it more; it sleeps otherwise.
  virtual void on_done(int vcpu) = 0;

 protected:
  ~Program() = default;
};

// The CPUs of one computer and the virtual CPUs that a scheduler puts on them. Work is the time that a CPU
// takes for it; to switch takes none.
class Processors final : public Receiver {
 public:
  // At most 64 CPUs.
  Processors(EventLoop& loop, std::unique_ptr<Scheduler> scheduler, int cpus);

  int add(const Share& share, Program& program);  // its number, from 0

  // Work for one that has none: it wakes.
  void give(int vcpu, Ns work);
  // Other work for one that has some; what was left of it.
  Ns exchange(int vcpu, Ns work);
  [[nodiscard]] bool is_idle(int vcpu) const { return vcpus_[static_cast<std::size_t>(vcpu)].left == 0; }

  // How long the virtual CPU has run on the CPU, until now.
  [[nodiscard]] Ns busy(int cpu, int vcpu);
  [[nodiscard]] Ns busy(int vcpu);
  // To another virtual CPU than ran before, idleness between them or not.
  [[nodiscard]] std::uint64_t switches() const { return switches_; }

  // One turn after the other of all CPUs, from now on; those that are over.
  struct Stay {
    int cpu = 0, vcpu = kNobody;
    Ns from = 0, to = 0;

    bool operator==(const Stay&) const = default;
  };
  void record(std::vector<Stay>* schedule) { schedule_ = schedule; }

  void on_event(std::uint64_t word) override;

 private:
  struct Cpu {
    int running = kNobody;
    Ns since = 0;     // what ran before it is charged
    Ns began = 0;     // the stay
    Ns turn_end = 0;  // when the scheduler wants to be asked
    std::uint32_t generation = 0;
    bool is_deciding = false;  // its program is being asked for more
    std::vector<int> woken;    // meanwhile
  };
  struct Vcpu {
    Program* program = nullptr;
    Ns left = 0;
    int on = kNobody;
  };

  [[nodiscard]] Cpu& cpu_at(int cpu) { return cpus_[static_cast<std::size_t>(cpu)]; }
  [[nodiscard]] Vcpu& vcpu_at(int vcpu) { return vcpus_[static_cast<std::size_t>(vcpu)]; }
  void settle(int cpu);
  void leave(int cpu);
  void reschedule(int cpu);
  void arm(int cpu);
  void place(int vcpu);
  [[nodiscard]] bool start_on_idle(int vcpu);
  bool try_preempt(int cpu, int woken);

  EventLoop& loop_;
  std::unique_ptr<Scheduler> scheduler_;
  std::vector<Cpu> cpus_;
  std::vector<Vcpu> vcpus_;
  std::vector<Ns> busy_;  // by virtual CPU and CPU
  std::uint64_t switches_ = 0;
  std::vector<Stay>* schedule_ = nullptr;
};

}  // namespace vtax::simulate
