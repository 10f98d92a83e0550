#include "meter/host_ledger.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "meter/metered_thread.h"
#include "platform/booted_guests.h"

namespace vtax::meter {
namespace {

using Kind = ThreadKind;

// Threads that are charged alike: their ticks are few, so they are added up before they are asked.
struct Class {
  int cpu = 0;
  Kind kind = Kind::host;
  int guest = 1;
  auto operator<=>(const Class&) const = default;
};

struct Use {
  std::uint64_t run_ns = 0;
  std::uint64_t user_ns = 0, system_ns = 0, guest_ns = 0;  // sampled, but for what has ended
  std::uint64_t ended_ns = 0;                              // of run_ns, of what has ended
  std::uint64_t gone_ns = 0;                               // of ended_ns, from before the first reading
};

struct Row {
  int cpu = 0;
  std::string domain;
  Layer layer = Layer::uncharged;
  Part part = Part::none;
  auto operator<=>(const Row&) const = default;
};

std::uint64_t since(std::uint64_t before, std::uint64_t after) {
  return after > before ? after - before : 0;
}

// Two or three ticks call the same work all kernel in one run, all program in the next.
constexpr std::uint64_t kLeastSampledNs = 4 * kTickNs;

class HostCharging {
 public:
  explicit HostCharging(const LedgerInput& input)
      : guest_programs_ns_(input.guest_programs_ns),
        guest_kernels_ns_(input.guest_kernels_ns),
        has_guest_(has_guest(input.processes)) {}

  void charge(const Class& which, const Use& use) {
    const std::string domain = is_guests(which.kind) ? guest_domain_name(which.guest) : "host";
    // Who is not waited for brings nothing, and has nothing to give back.
    const std::uint64_t run_ns = use.run_ns - std::min(use.gone_ns, use.ended_ns),
                        sampled = use.user_ns + use.system_ns;
    // In a guest's host both go to the driver.
    const bool split_matters = which.kind == Kind::host && !has_guest_;
    if (sampled < (split_matters ? kLeastSampledNs : kTickNs)) {
      add({which.cpu, domain, Layer::uncharged, Part::none}, run_ns);
      return;
    }
    const auto part = [&](std::uint64_t of) {
      return std::min(run_ns, static_cast<std::uint64_t>(static_cast<double>(run_ns) *
                                                         static_cast<double>(std::min(of, sampled)) /
                                                         static_cast<double>(sampled)));
    };
    const std::uint64_t user = part(use.user_ns);
    if (which.kind == Kind::kvm_cpu) {
      // The kernel counts its guest's time within the thread's user time.
      const std::uint64_t guest = std::min(user, part(use.guest_ns));
      charge_guest(which, guest);
      charge_user({which.cpu, Kind::emulator, which.guest}, user - guest);
    } else {
      charge_user(which, user);
    }
    charge_system(which, run_ns - user);
  }

  void charge_packets(int cpu, std::uint64_t ns) { charge_system({cpu, Kind::host, 1}, ns); }

  void add(const Row& row, std::uint64_t ns) {
    if (ns > 0) rows_[row] += ns;
  }

  [[nodiscard]] std::uint64_t charged_on(int cpu) const {
    std::uint64_t sum = 0;
    for (const auto& [row, ns] : rows_) sum += row.cpu == cpu ? ns : 0;
    return sum;
  }

  [[nodiscard]] std::vector<LedgerEntry> entries() const {
    std::vector<LedgerEntry> out;
    for (const auto& [row, ns] : rows_)
      out.push_back({row.cpu, row.domain, row.layer, row.part, kCpuTimeKind, ns});
    return out;
  }

 private:
  static bool is_guests(Kind kind) {
    return kind == Kind::virtual_cpu || kind == Kind::kvm_cpu || kind == Kind::uml_kernel ||
           kind == Kind::uml_program;
  }

  // What the guest says of its program is believed up to all that its CPU ran.
  void charge_guest(const Class& which, std::uint64_t ns) {
    const auto place = static_cast<std::size_t>(which.guest - 1);
    const std::uint64_t says = place < guest_programs_ns_.size() ? guest_programs_ns_[place] : 0;
    std::uint64_t program = std::min(ns, says);
    if (place < guest_kernels_ns_.size()) {
      const double all = static_cast<double>(says) + static_cast<double>(guest_kernels_ns_[place]);
      if (all < static_cast<double>(kLeastSampledNs))
        return add({which.cpu, guest_domain_name(which.guest), Layer::uncharged, Part::none}, ns);
      program =
          std::min(ns, static_cast<std::uint64_t>(static_cast<double>(ns) * static_cast<double>(says) / all));
    }
    add({which.cpu, guest_domain_name(which.guest), Layer::program, Part::none}, program);
    add({which.cpu, guest_domain_name(which.guest), Layer::kernel, Part::none}, ns - program);
  }

  void charge_user(const Class& which, std::uint64_t ns) {
    switch (which.kind) {
      case Kind::virtual_cpu:
      case Kind::kvm_cpu:
        return charge_guest(which, ns);
      case Kind::uml_kernel:
        return add({which.cpu, guest_domain_name(which.guest), Layer::kernel, Part::none}, ns);
      case Kind::uml_program:
        return add({which.cpu, guest_domain_name(which.guest), Layer::program, Part::none}, ns);
      case Kind::host:
      case Kind::partner:
      case Kind::emulator:
        return add(has_guest_ ? Row{which.cpu, "host", Layer::driver, Part::program}
                              : Row{which.cpu, "host", Layer::program, Part::none},
                   ns);
    }
  }

  void charge_system(const Class& which, std::uint64_t ns) {
    add(has_guest_ ? Row{which.cpu, "host", Layer::driver, Part::kernel}
                   : Row{which.cpu, "host", Layer::kernel, Part::none},
        ns);
  }

  std::vector<std::uint64_t> guest_programs_ns_, guest_kernels_ns_;
  bool has_guest_;
  std::map<Row, std::uint64_t> rows_;
};

// What is left of a CPU's time: other programs as far as ticks tell them, and idleness. Idleness takes what
// the ticks round, so that the rows add up.
void charge_rest(HostCharging& charging, int cpu, std::uint64_t span_ns, std::uint64_t packets_ns,
                 const CpuTicks& before, const CpuTicks& after) {
  const auto ticks = [&](std::uint64_t CpuTicks::*field) { return since(before.*field, after.*field); };
  const std::uint64_t busy =
      kTickNs * (ticks(&CpuTicks::user) + ticks(&CpuTicks::nice) + ticks(&CpuTicks::system) +
                 ticks(&CpuTicks::irq) + ticks(&CpuTicks::softirq));
  // The kernel times idleness, too, in whole ticks: threads, packets and that together have the span at most.
  // Where ksoftirqd does nearly all of the packets' work the clock of softirqs has said 45 % too much.
  std::uint64_t idle = 0;
  for (const auto field : {&CpuTicks::idle, &CpuTicks::iowait}) idle += kTickNs * since(1, ticks(field));
  charging.charge_packets(cpu, std::min(packets_ns, since(charging.charged_on(cpu) + idle, span_ns)));
  const std::uint64_t ours = charging.charged_on(cpu);
  std::uint64_t left = since(ours, span_ns);
  const std::uint64_t stolen = std::min(left, kTickNs * ticks(&CpuTicks::steal));
  left -= stolen;
  const std::uint64_t elsewhere = std::min(left, since(ours, busy));
  left -= elsewhere;
  charging.add({cpu, "stolen", Layer::elsewhere, Part::none}, stolen);
  charging.add({cpu, "elsewhere", Layer::elsewhere, Part::none}, elsewhere);
  charging.add({cpu, "idle", Layer::idle, Part::none}, left);
}

}  // namespace

namespace {

// Threads and children of living processes. Of guests' runners User Mode Linux alone has such children, which
// are its guest's programs; the others' threads come and go outside of windows.
void add_ended(const LedgerInput& input, std::map<Class, Use>& uses) {
  const auto class_of = [&](int process, const std::map<int, int>& parents) -> std::optional<Class> {
    using Role = MeteredProcess::Role;
    const MeteredProcess* owner = owner_of(process, input.processes, parents);
    if (owner == nullptr || owner->role == Role::emulator || owner->role == Role::kvm) return std::nullopt;
    const Kind kind = owner->role == Role::uml ? Kind::uml_program : kind_of({}, *owner);
    return Class{owner->cpu, kind, owner->guest};
  };
  for (const auto& [process, after] : input.after.ended) {
    const auto which = class_of(process, input.after.parents);
    if (!which) continue;
    const auto earlier = input.before.ended.find(process);
    const EndedTime before = earlier == input.before.ended.end() ? EndedTime{} : earlier->second;
    Use& use = uses[*which];
    use.ended_ns += since(before.threads_ns, after.threads_ns);
    LedgerInput::Awaited awaited{kTickNs * since(before.user_ticks, after.user_ticks),
                                 kTickNs * since(before.system_ticks, after.system_ticks)};
    if (const auto said = input.awaited.find(process); said != input.awaited.end()) awaited = said->second;
    use.ended_ns += awaited.user_ns + awaited.system_ns;
    use.user_ns += awaited.user_ns;
    use.system_ns += awaited.system_ns;
  }
  for (auto& [which, use] : uses) use.run_ns += use.ended_ns;
  // What is left of them is the time of their whole lives, that before the first reading, too.
  for (const auto& [id, thread] : input.before.threads) {
    if (input.after.threads.contains(id)) continue;
    if (const auto which = class_of(thread.process, input.before.parents))
      uses[*which].gone_ns += thread.run_ns;
  }
  for (const auto& [process, earlier] : input.before.ended) {
    if (input.after.parents.contains(process)) continue;
    if (const auto which = class_of(process, input.before.parents))
      uses[*which].gone_ns += earlier.threads_ns + kTickNs * (earlier.user_ticks + earlier.system_ticks);
  }
}

}  // namespace

std::vector<LedgerEntry> host_ledger(const LedgerInput& input) {
  std::map<Class, Use> uses;
  for (const auto& [id, thread] : input.after.threads) {
    const MeteredProcess* owner = owner_of(thread.process, input.processes, input.after.parents);
    if (owner == nullptr) continue;
    const auto earlier = input.before.threads.find(id);
    const ThreadTime start = earlier == input.before.threads.end() ? ThreadTime{} : earlier->second;
    Use& use = uses[{owner->cpu, kind_of(thread, *owner), owner->guest}];
    use.run_ns += since(start.run_ns, thread.run_ns);
    use.user_ns += kTickNs * since(start.user_ticks, thread.user_ticks);
    use.system_ns += kTickNs * since(start.system_ticks, thread.system_ticks);
    use.guest_ns += kTickNs * since(start.guest_ticks, thread.guest_ticks);
  }
  add_ended(input, uses);
  HostCharging charging(input);
  for (const auto& [which, use] : uses) charging.charge(which, use);
  const auto span = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(input.after.at - input.before.at).count());
  for (const auto& [cpu, after] : input.after.cpus) {
    const auto before = input.before.cpus.find(cpu);
    const auto packets = input.packets_ns.find(cpu);
    if (before == input.before.cpus.end()) continue;
    charge_rest(charging, cpu, span, packets == input.packets_ns.end() ? 0 : packets->second, before->second,
                after);
  }
  return charging.entries();
}

}  // namespace vtax::meter
