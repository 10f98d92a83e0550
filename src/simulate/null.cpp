#include <algorithm>

#include "simulate/scheduler.h"

// Xen's null scheduler: a virtual CPU has a CPU to itself, for good; one for which there is none waits.
namespace vtax::simulate {
namespace {

class Null final : public Scheduler {
 public:
  void charge(int, Ns, Ns) override {}

  Turn choose(int cpu, Ns, int) override {
    for (int i = 0; i < count(); ++i)
      if (homes_[static_cast<std::size_t>(i)] == cpu && is_candidate(i, cpu)) return {i, kForever};
    return {};
  }

  std::optional<Ns> preempts_in(int, int, Ns) override { return std::nullopt; }

 private:
  void added(int vcpu) override {
    int home = kNobody;
    for (int cpu = 0; cpu < cpus_ && home == kNobody; ++cpu)
      if (may_run(vcpu, cpu) && std::find(homes_.begin(), homes_.end(), cpu) == homes_.end()) home = cpu;
    homes_.push_back(home);
  }
  void woke(int, Ns) override {}

  std::vector<int> homes_;  // by virtual CPU
};

}  // namespace

std::unique_ptr<Scheduler> make_null() {
  return std::make_unique<Null>();
}

}  // namespace vtax::simulate
