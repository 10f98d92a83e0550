#include "watch/charge_rules.h"

namespace vtax::watch::rules {

void Charge::charge_lap() {
  const std::vector<ClockedTime> times = times_within_spans();
  std::map<int, Nanoseconds> seen, busy;
  for (const ClockedTime& time : times) {
    seen[time.cpu] += time.ns;
    if (!is_idle(time)) busy[time.cpu] += time.ns;
  }
  for (const auto& [cpu, span] : after_.lap->span_ns) kept_[cpu] = {kept_of_busy(cpu, busy[cpu]), busy[cpu]};
  for (const ClockedTime& time : times) place(time);
  for (const auto& [cpu, span] : after_.lap->span_ns) {
    OtherTime& other = cpus_[cpu].other;
    other.uncharged_ns += span - seen[cpu];  // what the clock lost, since its map was full
    // Parts are rounded down; what that leaves was taken, too.
    other.stolen_ns += busy[cpu] - placed_[cpu];
  }
  share_polls();
  split_by_guest_ticks();
  find_short_lived_tasks();
}

std::vector<ClockedTime> Charge::times_within_spans() const {
  std::vector<ClockedTime> times;
  std::map<int, Nanoseconds> left = after_.lap->span_ns;
  for (ClockedTime time : after_.lap->times) {
    const auto room = left.find(time.cpu);
    if (room == left.end()) continue;
    time.ns = std::min(time.ns, room->second);
    room->second -= time.ns;
    times.push_back(time);
  }
  return times;
}

bool Charge::is_idle(const ClockedTime& time) {
  return time.key.thread == 0 && time.key.mode == ClockMode::thread;
}

Nanoseconds Charge::kept_of_busy(int cpu, Nanoseconds busy) const {
  if (after_.xen) {
    const Nanoseconds ran = xen_busy(0, static_cast<std::size_t>(cpu));
    return std::min(busy, ran);
  }
  const auto was = before_.ticks.find(cpu), is = after_.ticks.find(cpu);
  if (was == before_.ticks.end() || is == after_.ticks.end()) return busy;
  const Nanoseconds ticks = grown(was->second.steal, is->second.steal);
  if (ticks == 0) return busy;
  // So many ticks are up to one less or one more of time: where the CPU was hardly busy, the middle of what
  // can be.
  const Nanoseconds least = std::min(busy, (ticks - 1) * meter::kTickNs),
                    most = std::min(busy, (ticks + 1) * meter::kTickNs);
  return busy - (least + most) / 2;
}

void Charge::place(const ClockedTime& time) {
  CpuSum& cpu = cpus_[time.cpu];
  if (is_idle(time)) {
    cpu.other.idle_ns += time.ns;
    return;
  }
  const auto [kept, busy] = kept_[time.cpu];
  const Nanoseconds ns =
      kept == busy ? time.ns : static_cast<Nanoseconds>(static_cast<Wide>(time.ns) * kept / busy);
  placed_[time.cpu] += ns;
  const Whose back = inventory_.of(static_cast<int>(time.key.process), static_cast<int>(time.key.thread));
  const bool of_guest = back.part == Part::own || back.part == Part::helper;
  if (of_guest) guests_[back.guest].on_its_tasks += ns;
  switch (time.key.mode) {
    case ClockMode::guest:
      own_time(back, time, ns, cpu);
      return;
    case ClockMode::thread:
      on_the_back(back, time, ns, cpu);
      return;
    case ClockMode::interrupt: {
      const auto owner = inventory_.interrupts.find(time.key.interrupt);
      if (owner != inventory_.interrupts.end())
        caused_by(owner->second, &GuestSum::packets, ns, cpu);
      else if (after_.xen || inventory_.network_interrupts.contains(time.key.interrupt))
        cpu.pool += ns;  // an event channel, a card's queue: whose packets came is not told
      else if (time.key.thread == 0 || back.part == Part::softirqs || of_guest)
        cpu.other.driver_ns += ns;
      else
        on_the_back(back, time, ns, cpu);
      return;
    }
    case ClockMode::poll:
    case ClockMode::packets:
    case ClockMode::other_softirq:
      place_packets(back, time, ns, cpu);
      return;
  }
}

void Charge::caused_by(std::size_t guest, Nanoseconds GuestSum::*part, Nanoseconds ns, CpuSum& cpu) {
  guests_[guest].*part += ns;
  cpu.caused += ns;
  cpu.told[guest] += ns;
}

void Charge::caused_by_packets(const std::vector<std::size_t>& owners, Nanoseconds ns, CpuSum& cpu) {
  if (owners.size() == 1) {
    caused_by(owners.front(), &GuestSum::packets, ns, cpu);
  } else {
    cpu.caused += ns;
    of_several_[owners] += ns;
  }
}

void Charge::place_packets(const Whose& back, const ClockedTime& time, Nanoseconds ns, CpuSum& cpu) {
  static const std::vector<std::size_t> kNobody;
  const bool on_program = back.part == Part::elsewhere && time.key.thread != 0;
  const auto *came_from = inventory_.owners(time.key.came), *left_for = inventory_.owners(time.key.left);
  const auto* owners = came_from != nullptr ? came_from : left_for;
  if (came_from == nullptr && !time.key.came.none()) {
    PolledDevice& device = cpu.polled[time.key.came];
    if (time.key.mode == ClockMode::poll) {
      device.ns += ns;
      if (on_program) device.elsewhere_ns += ns;
      if (back.part == Part::vtax) device.vtax_ns += ns;
      return;
    }
    device.segments[owners == nullptr ? kNobody : *owners] += time.segments;
  }
  if (owners != nullptr) {
    caused_by_packets(*owners, ns, cpu);
  } else if (!time.key.came.none() || !time.key.left.none()) {
    cpu.own_packets += ns;
    if (on_program)
      cpu.other.elsewhere_ns += ns;
    else
      (back.part == Part::vtax ? cpu.other.vtax_ns : cpu.other.driver_ns) += ns;
  } else if (time.key.thread != 0 && back.part != Part::softirqs && time.key.mode != ClockMode::poll) {
    on_the_back(back, time, ns, cpu);
  } else {
    (time.key.mode == ClockMode::other_softirq ? cpu.other.driver_ns : cpu.pool) += ns;
  }
}

void Charge::share_polls() {
  for (auto& [number, cpu] : cpus_)
    for (const auto& [key, device] : cpu.polled) {
      std::vector<std::uint64_t> weights;
      for (const auto& [owners, segments] : device.segments) weights.push_back(segments);
      if (sum_of(weights) == 0) {
        cpu.pool += device.ns;
        continue;
      }
      const auto parts = divide(device.ns, weights);
      auto part = parts.begin();
      for (const auto& [owners, segments] : device.segments) {
        const Nanoseconds ns = *part++;
        if (!owners.empty()) {
          caused_by_packets(owners, ns, cpu);
          continue;
        }
        const auto backs = divide(
            ns, {device.elsewhere_ns, device.vtax_ns, device.ns - device.elsewhere_ns - device.vtax_ns});
        cpu.own_packets += ns;
        cpu.other.elsewhere_ns += backs[0];
        cpu.other.vtax_ns += backs[1];
        cpu.other.driver_ns += backs[2];
      }
    }
}

void Charge::own_time(const Whose& whose, const ClockedTime& time, Nanoseconds ns, CpuSum& cpu) {
  if (whose.part != Part::own && whose.part != Part::helper) {
    cpu.other.uncharged_ns += ns;  // a guest of KVM's that the inventory does not know
    return;
  }
  GuestSum& guest = guests_[whose.guest];
  guest.own += ns;
  cpu.guests += ns;
  if (whose.virtual_cpu < 0) return;
  guest.virtual_cpus[whose.virtual_cpu] += ns;
  auto& [where, most] = guest.ran_on[whose.virtual_cpu];
  auto& here = ran_[{whose.guest, whose.virtual_cpu, time.cpu}];
  here += ns;
  if (here >= most) {
    where = time.cpu;
    most = here;
  }
}

void Charge::on_the_back(const Whose& back, const ClockedTime& time, Nanoseconds ns, CpuSum& cpu) {
  switch (back.part) {
    case Part::own:
      // Outside of the guest KVM works for it, on the virtual CPU's thread.
      if (after_.clock_sees_guests && inventory_.guests[back.guest].kind == GuestKind::kvm) break;
      own_time(back, time, ns, cpu);
      if (inventory_.guests[back.guest].kind == GuestKind::kvm)
        kvm_threads_[static_cast<int>(time.key.thread)][time.cpu] += ns;
      return;
    case Part::helper:
      break;
    case Part::softirqs:
      cpu.pool += ns;
      return;
    case Part::driver:
      cpu.other.driver_ns += ns;
      return;
    case Part::vtax:
      cpu.other.vtax_ns += ns;
      return;
    case Part::elsewhere:
      (time.key.thread == 0 ? cpu.other.driver_ns : cpu.other.elsewhere_ns) += ns;
      if (time.key.thread != 0 && !inventory_.processes.contains(static_cast<int>(time.key.process)))
        cpu.unknown += ns;
      return;
  }
  guests_[back.guest].threads += ns;
  cpu.caused += ns;
  cpu.told[back.guest] += ns;
}

void Charge::split_by_guest_ticks() {
  for (std::size_t i = 0; i < guests_.size(); ++i) {
    if (inventory_.guests[i].kind != GuestKind::kvm || looks_after_[i] == nullptr) continue;
    for (const auto& [number, thread] : looks_after_[i]->threads) {
      const auto by_cpu = kvm_threads_.find(number);
      if (by_cpu == kvm_threads_.end()) continue;
      Nanoseconds ran = 0;
      for (const auto& [cpu, ns] : by_cpu->second) ran += ns;
      const auto* was = thread_in(looks_before_[i], number, thread.born_ticks);
      Nanoseconds outside = ran - std::min(ran, grown(was == nullptr ? thread.guest_ticks : was->guest_ticks,
                                                      thread.guest_ticks) *
                                                    meter::kTickNs);
      const Whose whose = inventory_.of(0, number);
      for (const auto& [cpu, ns] : by_cpu->second) {
        const Nanoseconds moved = std::min({ns, outside, guests_[i].own, cpus_[cpu].guests});
        guests_[i].own -= moved;
        guests_[i].threads += moved;
        cpus_[cpu].guests -= moved;
        cpus_[cpu].caused += moved;
        if (whose.virtual_cpu >= 0) {
          Nanoseconds& own = guests_[i].virtual_cpus[whose.virtual_cpu];
          own -= std::min(own, moved);
        }
        outside -= moved;
      }
    }
  }
}

void Charge::find_short_lived_tasks() {
  std::vector<Nanoseconds> lacks(guests_.size());
  for (std::size_t i = 0; i < guests_.size(); ++i)
    if (const auto counted = group_ns(i)) lacks[i] = grown(guests_[i].on_its_tasks, *counted);
  Nanoseconds unknown = 0;
  for (const auto& [cpu, sum] : cpus_) unknown += sum.unknown;
  const Nanoseconds found = std::min(unknown, sum_of(lacks));
  if (found == 0) return;
  const auto to_guests = divide(found, lacks);
  for (std::size_t i = 0; i < guests_.size(); ++i) guests_[i].own += to_guests[i];
  std::vector<Nanoseconds> unknowns;
  for (const auto& [cpu, sum] : cpus_) unknowns.push_back(sum.unknown);
  const auto from_cpus = divide(found, unknowns);
  std::size_t at = 0;
  for (auto& [cpu, sum] : cpus_) {
    sum.other.elsewhere_ns -= from_cpus[at];
    sum.guests += from_cpus[at++];
  }
}

std::optional<Nanoseconds> Charge::group_ns(std::size_t i) const {
  const GuestLook *was = looks_before_[i], *is = looks_after_[i];
  if (!inventory_.guests[i].group_is_its_own || is == nullptr || !is->group || !is->group->busy_ns)
    return std::nullopt;
  if (was == nullptr || !was->group || !was->group->busy_ns) return std::nullopt;
  return grown(*was->group->busy_ns, *is->group->busy_ns);
}

void Charge::charge_threads() {
  CpuSum& all = cpus_[kAllCpus];
  Nanoseconds left = after_.xen ? domain_0_ns() : span_ * after_.ticks.size();
  const auto take = [&](Nanoseconds ns) {
    const Nanoseconds taken = std::min(ns, left);
    left -= taken;
    return taken;
  };
  for (std::size_t i = 0; i < guests_.size(); ++i) {
    const KnownGuest& known = inventory_.guests[i];
    GuestSum& guest = guests_[i];
    const auto group = known.kind == GuestKind::container ? group_ns(i) : std::nullopt;
    if (group) guest.own += take(*group);
    if (group || looks_after_[i] == nullptr) continue;
    for (const auto& [number, thread] : looks_after_[i]->threads) {
      const Whose whose = whose_thread(i, number);
      const Nanoseconds ran = take(grown_thread(i, number, thread, &meter::ThreadTimes::run_ns));
      Nanoseconds own = whose.part == Part::own ? ran : 0;
      const auto* was = thread_in(looks_before_[i], number, thread.born_ticks);
      if (known.kind == GuestKind::kvm && was != nullptr)
        own = std::min(ran, grown(was->guest_ticks, thread.guest_ticks) * meter::kTickNs);
      guest.own += own;
      guest.threads += ran - own;
      if (whose.virtual_cpu >= 0) {
        guest.virtual_cpus[whose.virtual_cpu] += own;
        guest.ran_on[whose.virtual_cpu] = {thread.cpu, own};
      }
    }
  }
  for (std::size_t i = 0; i < guests_.size(); ++i) {
    all.guests += guests_[i].own;
    all.caused += guests_[i].threads;
    all.told[i] = guests_[i].threads;
  }
  all.other.vtax_ns = take(grown(before_.vtax_ns, after_.vtax_ns));
  if (after_.xen) {
    // Domain-0's own time, of which its threads that serve one guest are known.
    all.pool = take(left);
    return;
  }
  using meter::CpuTicks;
  all.other.idle_ns = take(ticks(&CpuTicks::idle) + ticks(&CpuTicks::iowait));
  all.other.stolen_ns = take(ticks(&CpuTicks::steal));
  all.other.uncharged_ns = take(ticks(&CpuTicks::softirq) + ticks(&CpuTicks::irq));
  all.other.elsewhere_ns = take(left);
}

Nanoseconds Charge::ticks(std::uint64_t meter::CpuTicks::*field) const {
  Nanoseconds sum = 0;
  for (const auto& [cpu, is] : after_.ticks)
    if (const auto was = before_.ticks.find(cpu); was != before_.ticks.end())
      sum += grown(was->second.*field, is.*field) * meter::kTickNs;
  return sum;
}

Whose Charge::whose_thread(std::size_t guest, int thread) const {
  if (const auto known = inventory_.threads.find(thread); known != inventory_.threads.end())
    return known->second;
  if (const auto known = inventory_.processes.find(thread); known != inventory_.processes.end())
    return known->second;
  const KnownGuest& known = inventory_.guests[guest];
  const auto main = known.processes.empty() ? inventory_.processes.end()
                                            : inventory_.processes.find(known.processes.front());
  return main == inventory_.processes.end() ? Whose{Part::helper, guest, -1} : main->second;
}

std::uint64_t Charge::grown_thread(std::size_t guest, int number, const meter::ThreadReading& thread,
                                   std::uint64_t meter::ThreadTimes::*field) const {
  if (const auto* was = thread_in(looks_before_[guest], number, thread.born_ticks))
    return grown(was->times.*field, thread.times.*field);
  if (looks_before_[guest] == nullptr || looks_before_[guest]->all_threads)
    return std::min(thread.times.*field, span_);
  return 0;
}

}  // namespace vtax::watch::rules
