#include "simulate/processors.h"

#include <algorithm>
#include <utility>

namespace vtax::simulate {

Processors::Processors(EventLoop& loop, std::unique_ptr<Scheduler> scheduler, int cpus)
    : loop_(loop), scheduler_(std::move(scheduler)), cpus_(static_cast<std::size_t>(cpus)) {
  scheduler_->set_cpus(cpus);
}

int Processors::add(const Share& share, Program& program) {
  vcpus_.push_back({&program, 0, kNobody});
  busy_.resize(vcpus_.size() * cpus_.size());
  scheduler_->add(share);
  return static_cast<int>(vcpus_.size()) - 1;
}

// What the one on it has run since it was last asked.
void Processors::settle(int cpu) {
  Cpu& its = cpu_at(cpu);
  const Ns ran = loop_.now() - its.since;
  its.since = loop_.now();
  if (its.running == kNobody || ran == 0) return;
  vcpu_at(its.running).left -= ran;
  busy_[static_cast<std::size_t>(its.running) * cpus_.size() + static_cast<std::size_t>(cpu)] += ran;
  scheduler_->charge(its.running, ran, loop_.now());
}

void Processors::leave(int cpu) {
  Cpu& its = cpu_at(cpu);
  if (its.running == kNobody) return;
  if (schedule_ != nullptr && its.began < loop_.now())
    schedule_->push_back({cpu, its.running, its.began, loop_.now()});
  scheduler_->run(its.running, kNobody);
  vcpu_at(its.running).on = kNobody;
  its.running = kNobody;
}

void Processors::arm(int cpu) {
  Cpu& its = cpu_at(cpu);
  Ns end = its.turn_end;
  if (its.running != kNobody) end = std::min(end, loop_.now() + vcpu_at(its.running).left);
  ++its.generation;
  if (end < kForever)
    loop_.at(end, *this, std::uint64_t{its.generation} << 32 | static_cast<std::uint32_t>(cpu));
}

void Processors::reschedule(int cpu) {
  settle(cpu);
  Cpu& its = cpu_at(cpu);
  const int last = its.running;
  const Turn turn = scheduler_->choose(cpu, loop_.now(), last);
  if (turn.vcpu != last) {
    leave(cpu);
    its.running = turn.vcpu;
    its.began = loop_.now();
    if (turn.vcpu != kNobody) {
      ++switches_;
      vcpu_at(turn.vcpu).on = cpu;
      scheduler_->run(turn.vcpu, cpu);
    }
  }
  // A turn of no length would stop time.
  its.turn_end = turn.most >= kForever ? kForever : loop_.now() + std::max<Ns>(1, turn.most);
  arm(cpu);
  if (last != kNobody && last != turn.vcpu) static_cast<void>(start_on_idle(last));
}

void Processors::on_event(std::uint64_t word) {
  const int cpu = static_cast<int>(word & 0xffffffffU);
  Cpu& its = cpu_at(cpu);
  if (its.generation != word >> 32) return;
  settle(cpu);
  const int vcpu = its.running;
  if (vcpu == kNobody || vcpu_at(vcpu).left > 0) return reschedule(cpu);
  its.is_deciding = true;
  vcpu_at(vcpu).program->on_done(vcpu);
  its.is_deciding = false;
  if (vcpu_at(vcpu).left == 0) {
    scheduler_->sleep(vcpu);
    leave(cpu);
    its.woken.clear();
    return reschedule(cpu);
  }
  if (loop_.now() >= its.turn_end) {
    its.woken.clear();
    return reschedule(cpu);
  }
  arm(cpu);
  while (!its.woken.empty()) {
    const int woken = its.woken.back();
    its.woken.pop_back();
    if (vcpu_at(woken).on == kNobody && vcpu_at(woken).left > 0) try_preempt(cpu, woken);
  }
}

bool Processors::start_on_idle(int vcpu) {
  for (int cpu = 0; cpu < static_cast<int>(cpus_.size()); ++cpu) {
    if (cpu_at(cpu).running != kNobody || cpu_at(cpu).is_deciding || !scheduler_->may_run(vcpu, cpu))
      continue;
    reschedule(cpu);
    if (vcpu_at(vcpu).on != kNobody) return true;
  }
  return false;
}

bool Processors::try_preempt(int cpu, int woken) {
  settle(cpu);
  Cpu& its = cpu_at(cpu);
  if (its.running == kNobody) return false;
  const auto in = scheduler_->preempts_in(woken, its.running, loop_.now());
  if (!in) return false;
  if (*in == 0) {
    reschedule(cpu);
    return vcpu_at(woken).on != kNobody;
  }
  if (loop_.now() + *in < its.turn_end) {
    its.turn_end = loop_.now() + *in;
    arm(cpu);
  }
  return false;
}

void Processors::place(int vcpu) {
  if (start_on_idle(vcpu)) return;
  for (int cpu = 0; cpu < static_cast<int>(cpus_.size()); ++cpu) {
    if (!scheduler_->may_run(vcpu, cpu)) continue;
    if (cpu_at(cpu).is_deciding)
      cpu_at(cpu).woken.push_back(vcpu);
    else if (try_preempt(cpu, vcpu))
      return;
  }
}

void Processors::give(int vcpu, Ns work) {
  Vcpu& its = vcpu_at(vcpu);
  its.left = std::max<Ns>(1, work);
  if (its.on != kNobody) return;  // it goes on, when its program has been asked
  scheduler_->wake(vcpu, loop_.now());
  place(vcpu);
}

Ns Processors::exchange(int vcpu, Ns work) {
  Vcpu& its = vcpu_at(vcpu);
  if (its.on != kNobody) settle(its.on);
  const Ns left = its.left;
  its.left = std::max<Ns>(1, work);
  if (its.on != kNobody && !cpu_at(its.on).is_deciding) arm(its.on);
  return left;
}

Ns Processors::busy(int cpu, int vcpu) {
  settle(cpu);
  return busy_[static_cast<std::size_t>(vcpu) * cpus_.size() + static_cast<std::size_t>(cpu)];
}

Ns Processors::busy(int vcpu) {
  Ns sum = 0;
  for (int cpu = 0; cpu < static_cast<int>(cpus_.size()); ++cpu) sum += busy(cpu, vcpu);
  return sum;
}

}  // namespace vtax::simulate
