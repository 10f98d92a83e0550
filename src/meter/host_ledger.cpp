#include "meter/host_ledger.h"

#include <algorithm>
#include <map>

#include "meter/guest_share.h"
#include "meter/metered_thread.h"
#include "meter/thread_uses.h"
#include "platform/booted_guests.h"

namespace vtax::meter {
namespace {

using Kind = ThreadKind;

struct Row {
  int cpu = 0;
  std::string domain;
  Layer layer = Layer::uncharged;
  Part part = Part::none;
  auto operator<=>(const Row&) const = default;
};

class HostCharging {
 public:
  explicit HostCharging(const LedgerInput& input) : input_(input), has_guest_(has_guest(input.processes)) {}

  void charge(const ThreadClass& which, const ThreadUse& use) {
    const std::string domain = is_guests(which.kind) ? guest_domain_name(which.guest) : "host";
    const std::uint64_t run_ns = use.run_ns, sampled = use.user_ns + use.system_ns;
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

  void charge_guest(const ThreadClass& which, std::uint64_t ns) {
    const std::string domain = guest_domain_name(which.guest);
    const GuestShare share = guest_share(input_, which.guest, ns);
    add({which.cpu, domain, Layer::program, Part::none}, share.program);
    add({which.cpu, domain, Layer::kernel, Part::none}, share.kernel);
    add({which.cpu, domain, Layer::uncharged, Part::none}, share.uncharged);
  }

  void charge_user(const ThreadClass& which, std::uint64_t ns) {
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

  void charge_system(const ThreadClass& which, std::uint64_t ns) {
    add(has_guest_ ? Row{which.cpu, "host", Layer::driver, Part::kernel}
                   : Row{which.cpu, "host", Layer::kernel, Part::none},
        ns);
  }

  const LedgerInput& input_;
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

std::vector<LedgerEntry> host_ledger(const LedgerInput& input) {
  HostCharging charging(input);
  for (const auto& [which, use] : thread_uses(input)) charging.charge(which, use);
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
