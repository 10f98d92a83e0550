#include "watch/charge.h"

#include <algorithm>
#include <numeric>

#include "account/charging.h"

namespace vtax::watch {
namespace {

using meter::ClockedTime;
using meter::ClockMode;
using Nanoseconds = std::uint64_t;
__extension__ typedef unsigned __int128 Wide;

constexpr const char* by_told = "driver time that was told apart on the same CPU";
constexpr const char* by_packets = "packets";
constexpr const char* by_own_time = "own time of those that share a network";
constexpr const char* by_equations = "packets (equations 4.6 and 4.7)";

std::uint64_t grown(std::uint64_t before, std::uint64_t after) {
  return after > before ? after - before : 0;
}

Nanoseconds sum_of(const std::vector<Nanoseconds>& values) {
  return std::accumulate(values.begin(), values.end(), Nanoseconds{0});
}

// What one CPU, or one virtual CPU of Domain-0, or all of them did.
struct CpuSum {
  Nanoseconds guests = 0, caused = 0;
  Nanoseconds pool = 0;                     // the driver's work for guests, of which no rule tells for which
  Nanoseconds unknown = 0;                  // of processes that came and went between the looks
  std::map<std::size_t, Nanoseconds> told;  // of `caused`: what is known to be one guest's
  Nanoseconds own_packets = 0;              // what softirqs did for the host's own
  OtherTime other;
};

struct GuestSum {
  Nanoseconds own = 0, threads = 0, packets = 0, shared = 0;
  Nanoseconds on_its_tasks = 0;             // whatever was done on their backs, as its control group counts
  std::map<int, Nanoseconds> virtual_cpus;  // by number
  std::map<int, std::pair<int, Nanoseconds>> ran_on;  // virtual CPU -> physical CPU and time there
};

const meter::ThreadReading* thread_in(const GuestLook* look, int number, std::uint64_t born) {
  if (look == nullptr) return nullptr;
  const auto thread = look->threads.find(number);
  return thread != look->threads.end() && thread->second.born_ticks == born ? &thread->second : nullptr;
}

class Charge {
 public:
  Charge(const Look& before, const Look& after, const Inventory& inventory, ChargeBy by)
      : before_(before), after_(after), inventory_(inventory), by_(by), guests_(inventory.guests.size()) {
    const auto span = std::chrono::duration_cast<std::chrono::nanoseconds>(after.at - before.at).count();
    span_ = static_cast<Nanoseconds>(std::max<std::int64_t>(span, 1));
    for (const KnownGuest& guest : inventory.guests) {
      looks_before_.push_back(look_of(before, guest));
      looks_after_.push_back(look_of(after, guest));
    }
    for (std::size_t i = 0; i < guests_.size(); ++i) packets_.push_back(packets_of(i));
  }

  Reading reading() {
    if (after_.lap)
      charge_lap();
    else
      charge_threads();
    if (after_.xen) add_what_xen_counted();
    share_pool();
    if (after_.xen) charge_xen();
    if (by_ == ChargeBy::packets) charge_all_by_packets();
    return describe();
  }

 private:
  static const GuestLook* look_of(const Look& look, const KnownGuest& guest) {
    const auto found = look.guests.find(guest.identity);
    return found == look.guests.end() ? nullptr : &found->second;
  }

  // ---- by the clock: each CPU's time is in it without a gap

  void charge_lap() {
    const std::vector<ClockedTime> times = times_within_spans();
    std::map<int, Nanoseconds> seen, busy;
    for (const ClockedTime& time : times) {
      seen[time.cpu] += time.ns;
      if (!is_idle(time)) busy[time.cpu] += time.ns;
    }
    for (const auto& [cpu, span] : after_.lap->span_ns)
      kept_[cpu] = {kept_of_busy(cpu, busy[cpu]), busy[cpu]};
    for (const ClockedTime& time : times) place(time);
    for (const auto& [cpu, span] : after_.lap->span_ns) {
      OtherTime& other = cpus_[cpu].other;
      other.uncharged_ns += span - seen[cpu];  // what the clock lost, since its map was full
      // Parts are rounded down; what that leaves was taken, too.
      other.stolen_ns += busy[cpu] - placed_[cpu];
    }
    split_by_guest_ticks();
    find_short_lived_tasks();
  }

  // An interrupt between two of the clock's instructions puts some time twice.
  [[nodiscard]] std::vector<ClockedTime> times_within_spans() const {
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

  [[nodiscard]] static bool is_idle(const ClockedTime& time) {
    return time.key.thread == 0 && time.key.mode == ClockMode::thread;
  }

  // How much of a CPU's busy time was its own: the machine below may have taken the rest while a thread
  // seemed to run, and says so in ticks; of Domain-0's virtual CPUs Xen says it exactly.
  [[nodiscard]] Nanoseconds kept_of_busy(int cpu, Nanoseconds busy) const {
    if (after_.xen) {
      const Nanoseconds ran = xen_busy(0, static_cast<std::size_t>(cpu));
      return std::min(busy, ran);
    }
    const auto was = before_.ticks.find(cpu), is = after_.ticks.find(cpu);
    if (was == before_.ticks.end() || is == after_.ticks.end()) return busy;
    const Nanoseconds stolen = grown(was->second.steal, is->second.steal) * meter::tick_ns;
    return busy - std::min(busy, stolen);
  }

  void place(const ClockedTime& time) {
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
    const auto caused_by = [&](std::size_t guest, Nanoseconds GuestSum::*part) {
      guests_[guest].*part += ns;
      cpu.caused += ns;
      cpu.told[guest] += ns;
    };
    const auto on_back = [&] { on_the_back(back, time, ns, cpu); };
    switch (time.key.mode) {
      case ClockMode::guest:
        own_time(back, time, ns, cpu);
        return;
      case ClockMode::thread:
        on_back();
        return;
      case ClockMode::interrupt: {
        const auto owner = inventory_.interrupts.find(time.key.interrupt);
        if (owner != inventory_.interrupts.end())
          caused_by(owner->second, &GuestSum::packets);
        else if (after_.xen || inventory_.network_interrupts.contains(time.key.interrupt))
          cpu.pool += ns;  // an event channel, a card's queue: whose packets came is not told
        else if (time.key.thread == 0 || back.part == Part::softirqs || of_guest)
          cpu.other.driver_ns += ns;
        else
          on_back();
        return;
      }
      case ClockMode::packets:
      case ClockMode::other_softirq:
        break;
    }
    const auto* owners = inventory_.owners(time.key.came);
    if (owners == nullptr) owners = inventory_.owners(time.key.left);
    if (owners != nullptr && owners->size() == 1) {
      caused_by(owners->front(), &GuestSum::packets);
    } else if (owners != nullptr) {
      cpu.caused += ns;
      of_several_[*owners] += ns;
    } else if (!time.key.came.none() || !time.key.left.none()) {
      cpu.own_packets += ns;
      if (back.part == Part::elsewhere && time.key.thread != 0)
        cpu.other.elsewhere_ns += ns;
      else
        (back.part == Part::vtax ? cpu.other.vtax_ns : cpu.other.driver_ns) += ns;
    } else if (time.key.thread != 0 && back.part != Part::softirqs) {
      on_back();
    } else {
      (time.key.mode == ClockMode::packets ? cpu.pool : cpu.other.driver_ns) += ns;
    }
  }

  void own_time(const Whose& whose, const ClockedTime& time, Nanoseconds ns, CpuSum& cpu) {
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

  void on_the_back(const Whose& back, const ClockedTime& time, Nanoseconds ns, CpuSum& cpu) {
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

  // KVM's guests where the clock does not see them: the ticks that found them running, of what their threads
  // ran.
  void split_by_guest_ticks() {
    for (std::size_t i = 0; i < guests_.size(); ++i) {
      if (inventory_.guests[i].kind != GuestKind::kvm || looks_after_[i] == nullptr) continue;
      for (const auto& [number, thread] : looks_after_[i]->threads) {
        const auto by_cpu = kvm_threads_.find(number);
        if (by_cpu == kvm_threads_.end()) continue;
        Nanoseconds ran = 0;
        for (const auto& [cpu, ns] : by_cpu->second) ran += ns;
        const auto* was = thread_in(looks_before_[i], number, thread.born_ticks);
        Nanoseconds outside =
            ran -
            std::min(ran, grown(was == nullptr ? thread.guest_ticks : was->guest_ticks, thread.guest_ticks) *
                              meter::tick_ns);
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

  // Tasks that a container began and ended between the looks: its control group has counted them, the clock
  // has their time under numbers that nobody knows.
  void find_short_lived_tasks() {
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

  // What the control group of a guest, which is no other's, counted.
  [[nodiscard]] std::optional<Nanoseconds> group_ns(std::size_t i) const {
    const GuestLook *was = looks_before_[i], *is = looks_after_[i];
    if (!inventory_.guests[i].group_is_its_own || is == nullptr || !is->group || !is->group->busy_ns)
      return std::nullopt;
    if (was == nullptr || !was->group || !was->group->busy_ns) return std::nullopt;
    return grown(*was->group->busy_ns, *is->group->busy_ns);
  }

  // ---- without it: what /proc says, of all CPUs together

  void charge_threads() {
    CpuSum& all = cpus_[all_cpus];
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
          own = std::min(ran, grown(was->guest_ticks, thread.guest_ticks) * meter::tick_ns);
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

  [[nodiscard]] Nanoseconds ticks(std::uint64_t meter::CpuTicks::*field) const {
    Nanoseconds sum = 0;
    for (const auto& [cpu, is] : after_.ticks)
      if (const auto was = before_.ticks.find(cpu); was != before_.ticks.end())
        sum += grown(was->second.*field, is.*field) * meter::tick_ns;
    return sum;
  }

  // A guest's threads are those of its processes and of their helpers, which look alike here.
  [[nodiscard]] Whose whose_thread(std::size_t guest, int thread) const {
    if (const auto known = inventory_.threads.find(thread); known != inventory_.threads.end())
      return known->second;
    if (const auto known = inventory_.processes.find(thread); known != inventory_.processes.end())
      return known->second;
    const KnownGuest& known = inventory_.guests[guest];
    const auto main = known.processes.empty() ? inventory_.processes.end()
                                              : inventory_.processes.find(known.processes.front());
    return main == inventory_.processes.end() ? Whose{Part::helper, guest, -1} : main->second;
  }

  // Of a thread that was not there before: all, if it began since.
  [[nodiscard]] std::uint64_t grown_thread(std::size_t guest, int number, const meter::ThreadReading& thread,
                                           std::uint64_t meter::ThreadTimes::*field) const {
    if (const auto* was = thread_in(looks_before_[guest], number, thread.born_ticks))
      return grown(was->times.*field, thread.times.*field);
    if (looks_before_[guest] == nullptr || looks_before_[guest]->all_threads)
      return std::min(thread.times.*field, span_);
    return 0;
  }

  // ---- Xen: its own count of every domain

  [[nodiscard]] Nanoseconds xen_busy(int domain, std::size_t virtual_cpu) const {
    if (!after_.xen || !before_.xen) return 0;
    const auto was = before_.xen->domains.find(domain), is = after_.xen->domains.find(domain);
    if (is == after_.xen->domains.end() || virtual_cpu >= is->second.virtual_cpus_ns.size()) return 0;
    const Nanoseconds now = is->second.virtual_cpus_ns[virtual_cpu];
    // A domain that came since has run since; so has one that has another's number.
    if (was == before_.xen->domains.end() || was->second.handle != is->second.handle)
      return std::min(now, span_);
    if (virtual_cpu >= was->second.virtual_cpus_ns.size()) return std::min(now, span_);
    return std::min(grown(was->second.virtual_cpus_ns[virtual_cpu], now), span_);
  }

  [[nodiscard]] Nanoseconds domain_0_ns() const {
    const auto is = after_.xen->domains.find(0);
    Nanoseconds sum = 0;
    if (is != after_.xen->domains.end())
      for (std::size_t i = 0; i < is->second.virtual_cpus_ns.size(); ++i) sum += xen_busy(0, i);
    return sum;
  }

  // What Domain-0 ran beside what its clock calls busy: interrupts in idleness, the ways into it and out of
  // it.
  void add_what_xen_counted() {
    for (auto& [cpu, sum] : cpus_)
      if (cpu != all_cpus) sum.pool += grown(kept_[cpu].second, xen_busy(0, static_cast<std::size_t>(cpu)));
  }

  // Until here the CPUs are Domain-0's virtual ones.
  void charge_xen() {
    CpuSum all;
    for (const auto& [cpu, sum] : cpus_) {
      all.guests += sum.guests;
      all.caused += sum.caused;
      all.other.driver_ns += sum.other.driver_ns;
      all.other.uncharged_ns += sum.other.uncharged_ns;
      all.other.elsewhere_ns += sum.other.elsewhere_ns;
      all.other.vtax_ns += sum.other.vtax_ns;
    }
    Nanoseconds busy = all.caused + all.guests + all.other.driver_ns + all.other.uncharged_ns +
                       all.other.elsewhere_ns + all.other.vtax_ns;
    for (std::size_t i = 0; i < guests_.size(); ++i) {
      const auto domain = inventory_.guests[i].domain;
      const auto look = domain ? after_.xen->domains.find(*domain) : after_.xen->domains.end();
      if (look == after_.xen->domains.end()) continue;
      for (std::size_t v = 0; v < look->second.virtual_cpus_ns.size(); ++v) {
        const Nanoseconds ns = xen_busy(*domain, v);
        guests_[i].own += ns;
        guests_[i].virtual_cpus[static_cast<int>(v)] = ns;
        guests_[i].ran_on[static_cast<int>(v)] = {look->second.cpus[v], ns};
        all.guests += ns;
        busy += ns;
      }
    }
    // Domains that went between the looks have no counter any more: their time seems idle.
    const Nanoseconds capacity = span_ * static_cast<Nanoseconds>(std::max(after_.xen->physical_cpus, 1));
    all.other.idle_ns = grown(busy, capacity);
    cpus_.clear();
    cpus_[all_cpus] = all;
  }

  // ---- what no rule tells apart

  [[nodiscard]] std::uint64_t packets_of(std::size_t i) const {
    const GuestLook *was = looks_before_[i], *is = looks_after_[i];
    if (was == nullptr || is == nullptr || !was->network || !is->network) return 0;
    return grown(was->network->received_packets, is->network->received_packets) +
           grown(was->network->sent_packets, is->network->sent_packets);
  }

  void share_pool() {
    for (const auto& [owners, ns] : of_several_) {
      std::vector<Nanoseconds> weights;
      for (const std::size_t owner : owners) weights.push_back(guests_[owner].own);
      if (sum_of(weights) == 0) weights.assign(owners.size(), 1);
      const auto parts = divide(ns, weights);
      for (std::size_t k = 0; k < owners.size(); ++k) guests_[owners[k]].shared += parts[k];
      rules_.push_back(by_own_time);
    }
    for (auto& [cpu, sum] : cpus_) share_pool_of(sum);
    std::sort(rules_.begin(), rules_.end());
    rules_.erase(std::unique(rules_.begin(), rules_.end()), rules_.end());
  }

  // What a CPU's driver did for nobody in particular is shared as what it did there for each, the host's own
  // packets among them; by packets where nothing was told apart and the books do not tell CPUs apart either.
  void share_pool_of(CpuSum& sum) {
    if (sum.pool == 0) return;
    std::vector<Nanoseconds> weights(guests_.size());
    for (const auto& [guest, ns] : sum.told) weights[guest] = ns;
    const char* rule = by_told;
    if (sum_of(weights) == 0 && !after_.lap) {
      weights = packets_;
      rule = by_packets;
    }
    if (sum_of(weights) > 0) {
      weights.push_back(rule == by_told ? sum.own_packets : 0);
      const auto parts = divide(sum.pool, weights);
      for (std::size_t i = 0; i < guests_.size(); ++i) guests_[i].shared += parts[i];
      sum.caused += sum.pool - parts.back();
      sum.other.driver_ns += parts.back();
      rules_.emplace_back(rule);
    } else {
      sum.other.driver_ns += sum.pool;
    }
    sum.pool = 0;
  }

  // 4.6 and 4.7: all that the driver did, by each guest's share of all packets.
  void charge_all_by_packets() {
    Nanoseconds driver = 0;
    for (auto& [cpu, sum] : cpus_) {
      sum.caused += sum.other.driver_ns + sum.other.uncharged_ns;
      sum.other.driver_ns = sum.other.uncharged_ns = 0;
      driver += sum.caused;
    }
    const auto charged = charge_by_packets(static_cast<double>(driver), packets_);
    for (GuestSum& guest : guests_) guest.threads = guest.packets = guest.shared = 0;
    rules_.clear();
    if (!charged) {
      for (auto& [cpu, sum] : cpus_) {
        sum.other.uncharged_ns += sum.caused;
        sum.caused = 0;
      }
      return;
    }
    rules_.push_back(by_equations);
    std::vector<Nanoseconds> weights;
    for (const double ns : charged->to_guests) weights.push_back(static_cast<Nanoseconds>(ns));
    const auto whole = divide(driver, sum_of(weights) > 0 ? weights : packets_);
    for (std::size_t i = 0; i < guests_.size(); ++i) guests_[i].shared = whole[i];
  }

  // ---- the reading

  [[nodiscard]] Reading describe() const {
    Reading reading;
    reading.at = after_.wall;
    reading.interval = std::chrono::nanoseconds(span_);
    reading.driver = after_.xen ? "Domain-0" : "host";
    reading.charge_by = by_;
    for (const std::string& rule : rules_)
      reading.shared_by += (reading.shared_by.empty() ? "" : "; ") + rule;
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
      if (number != all_cpus) reading.cpus.push_back({number, sum.guests, sum.caused, other});
    }
    return reading;
  }

  [[nodiscard]] GuestUse describe_guest(std::size_t i) const {
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

  static VirtualCpuUse* virtual_cpu(GuestUse& use, int number) {
    for (VirtualCpuUse& one : use.virtual_cpus)
      if (one.number == number) return &one;
    use.virtual_cpus.push_back({number, 0, {}, {}, {}});
    return &use.virtual_cpus.back();
  }

  // Waiting and switches of virtual CPUs, and of a container's tasks.
  void describe_tasks(std::size_t i, GuestUse& use) const {
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

  static void describe_devices(const GuestLook& was, const GuestLook& is, GuestUse& use) {
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

  static constexpr int all_cpus = -1;  // in `cpus_`: those that the books do not tell apart

  const Look &before_, &after_;
  const Inventory& inventory_;
  ChargeBy by_;
  Nanoseconds span_ = 1;
  std::vector<const GuestLook*> looks_before_, looks_after_;
  std::vector<std::uint64_t> packets_;
  std::vector<GuestSum> guests_;
  std::map<int, CpuSum> cpus_;
  std::map<int, std::pair<Nanoseconds, Nanoseconds>> kept_;  // of a CPU's busy time: what is kept, all
  std::map<int, Nanoseconds> placed_;
  std::map<int, std::map<int, Nanoseconds>> kvm_threads_;  // thread -> CPU -> time, guest and KVM together
  std::map<std::tuple<std::size_t, int, int>, Nanoseconds> ran_;
  std::map<std::vector<std::size_t>, Nanoseconds> of_several_;
  std::vector<std::string> rules_;
};

}  // namespace

std::vector<std::uint64_t> divide(std::uint64_t total, const std::vector<std::uint64_t>& weights) {
  Wide sum = 0;
  for (const std::uint64_t weight : weights) sum += weight;
  std::vector<std::uint64_t> parts(weights.size());
  if (sum == 0) return parts;
  // Each part ends where the share of all up to it does: no rounding adds up.
  Wide up_to = 0;
  std::uint64_t given = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    up_to += weights[i];
    const auto end = static_cast<std::uint64_t>(static_cast<Wide>(total) * up_to / sum);
    parts[i] = end - given;
    given = end;
  }
  return parts;
}

Reading charge(const Look& before, const Look& after, const Inventory& inventory, ChargeBy by) {
  return Charge(before, after, inventory, by).reading();
}

}  // namespace vtax::watch
