#include "watch/charge_rules.h"

namespace vtax::watch::rules {

Reading Charge::describe() const {
  Reading reading;
  reading.at = after_.wall;
  reading.interval = std::chrono::nanoseconds(span_);
  reading.driver = after_.xen ? "Domain-0" : "host";
  reading.charge_by = by_;
  for (const std::string& rule : rules_) reading.shared_by += (reading.shared_by.empty() ? "" : "; ") + rule;
  for (std::size_t i = 0; i < guests_.size(); ++i) reading.guests.push_back(describe_guest(i));
  for (const auto& [number, sum] : cpus_) {
    const OtherTime& other = sum.other;
    reading.other.driver_ns += other.driver_ns;
    reading.other.uncharged_ns += other.uncharged_ns;
    reading.other.elsewhere_ns += other.elsewhere_ns;
    reading.other.vtax_ns += other.vtax_ns;
    reading.other.stolen_ns += other.stolen_ns;
    reading.other.idle_ns += other.idle_ns;
    reading.all_cpus_ns += sum.guests + sum.caused + other.total();
    if (number != kAllCpus) reading.cpus.push_back({number, sum.guests, sum.caused, other});
  }
  return reading;
}

GuestUse Charge::describe_guest(std::size_t i) const {
  const KnownGuest& known = inventory_.guests[i];
  const GuestSum& sum = guests_[i];
  GuestUse use;
  use.name = known.name;
  use.id = known.id;
  use.found_by = known.found_by;
  use.kind = known.kind;
  use.own_ns = sum.own;
  use.caused = {sum.threads, sum.packets, sum.shared};
  if (known.domain && after_.xen) {
    const auto look = after_.xen->domains.find(*known.domain);
    if (look != after_.xen->domains.end()) use.busy_so_far_ns = sum_of(look->second.virtual_cpus_ns);
  }
  const GuestLook *was = looks_before_[i], *is = looks_after_[i];
  if (is != nullptr) {
    use.paused = is->paused;
    use.memory = is->memory;
    describe_tasks(i, use);
    if (is->group && is->group->busy_ns) use.busy_so_far_ns = is->group->busy_ns;
    if (was != nullptr) describe_devices(*was, *is, use);
  }
  for (const auto& [number, ns] : sum.virtual_cpus) {
    VirtualCpuUse* cpu = virtual_cpu(use, number);
    cpu->own_ns = ns;
    if (const auto ran = sum.ran_on.find(number); ran != sum.ran_on.end() && ran->second.first >= 0)
      cpu->cpu = ran->second.first;
  }
  std::sort(use.virtual_cpus.begin(), use.virtual_cpus.end(),
            [](const auto& a, const auto& b) { return a.number < b.number; });
  return use;
}

VirtualCpuUse* Charge::virtual_cpu(GuestUse& use, int number) {
  for (VirtualCpuUse& one : use.virtual_cpus)
    if (one.number == number) return &one;
  use.virtual_cpus.push_back({number, 0, {}, {}, {}});
  return &use.virtual_cpus.back();
}

void Charge::describe_tasks(std::size_t i, GuestUse& use) const {
  const GuestLook& is = *looks_after_[i];
  if (!is.all_threads || inventory_.guests[i].domain) return;
  Nanoseconds waiting = 0, blocked = 0, so_far = 0;
  std::uint64_t switches = 0;
  bool any = false, has_cpus = false;
  for (const auto& [number, thread] : is.threads) {
    const Whose whose = whose_thread(i, number);
    if (whose.part != Part::own) continue;
    any = true;
    const Nanoseconds ran = grown_thread(i, number, thread, &meter::ThreadTimes::run_ns),
                      waited = grown_thread(i, number, thread, &meter::ThreadTimes::waiting_ns);
    waiting += waited;
    switches += grown_thread(i, number, thread, &meter::ThreadTimes::switches);
    so_far += thread.times.run_ns;
    if (whose.virtual_cpu < 0) continue;
    has_cpus = true;
    VirtualCpuUse* cpu = virtual_cpu(use, whose.virtual_cpu);
    cpu->waiting_ns = std::min(waited, span_);
    cpu->blocked_ns = grown(ran + waited, span_);
    blocked += *cpu->blocked_ns;
    if (thread.cpu >= 0) cpu->cpu = thread.cpu;
  }
  if (!any) return;
  use.waiting_ns = waiting;
  use.switches = switches;
  use.busy_so_far_ns = so_far;
  if (has_cpus) use.blocked_ns = blocked;
}

void Charge::describe_devices(const GuestLook& was, const GuestLook& is, GuestUse& use) {
  if (was.network && is.network)
    use.network = NetworkUse{grown(was.network->received_packets, is.network->received_packets),
                             grown(was.network->sent_packets, is.network->sent_packets),
                             grown(was.network->received_bytes, is.network->received_bytes),
                             grown(was.network->sent_bytes, is.network->sent_bytes),
                             grown(was.network->drops, is.network->drops)};
  if (was.disk && is.disk)
    use.disk = DiskUse{grown(was.disk->reads, is.disk->reads), grown(was.disk->writes, is.disk->writes),
                       grown(was.disk->read_bytes, is.disk->read_bytes),
                       grown(was.disk->written_bytes, is.disk->written_bytes)};
  if (was.exits && is.exits) use.exits = grown(*was.exits, *is.exits);
}

}  // namespace vtax::watch::rules
