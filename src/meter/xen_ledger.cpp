#include "meter/xen_ledger.h"

#include <algorithm>
#include <map>
#include <set>

#include "meter/guest_share.h"
#include "meter/thread_uses.h"
#include "platform/booted_guests.h"

namespace vtax::meter {
namespace {

constexpr char kDomain0[] = "Domain-0";

// How long each virtual CPU of a domain ran between the readings.
std::map<int, std::uint64_t> ran(const XenLedgerInput& input, int domain) {
  std::map<int, std::uint64_t> ns;
  for (const VirtualCpuTime& now : input.after.times)
    for (const VirtualCpuTime& then : input.before.times)
      if (now.domain == domain && then.domain == domain && now.virtual_cpu == then.virtual_cpu)
        ns[now.virtual_cpu] = since(then.ns, now.ns);
  return ns;
}

// By CPU: what threads that have nothing to do with the trial ran there.
std::map<int, std::uint64_t> ran_outside(const LedgerInput& books) {
  std::map<int, std::uint64_t> ns;
  for (const auto& [thread, now] : books.after.outside) {
    const auto then = books.before.outside.find(thread);
    ns[now.cpu] += since(then == books.before.outside.end() ? 0 : then->second.run_ns, now.run_ns);
  }
  return ns;
}

// By CPU: user time of the trial's processes, as far as it is sampled or told.
std::map<int, std::uint64_t> ran_as_program(const LedgerInput& books) {
  std::map<int, ThreadUse> uses;
  for (const auto& [which, use] : thread_uses(books)) {
    ThreadUse& all = uses[which.cpu];
    all.run_ns += use.run_ns;
    all.user_ns += use.user_ns;
    all.system_ns += use.system_ns;
  }
  std::map<int, std::uint64_t> ns;
  for (const auto& [cpu, use] : uses) {
    const auto sampled = static_cast<double>(use.user_ns + use.system_ns);
    if (sampled > 0)
      ns[cpu] = static_cast<std::uint64_t>(static_cast<double>(use.run_ns) *
                                           static_cast<double>(use.user_ns) / sampled);
  }
  return ns;
}

std::uint64_t at(const std::map<int, std::uint64_t>& by_cpu, int cpu) {
  const auto found = by_cpu.find(cpu);
  return found == by_cpu.end() ? 0 : found->second;
}

std::uint64_t stolen_on(const LedgerInput& books, int cpu) {
  const auto then = books.before.cpus.find(cpu), now = books.after.cpus.find(cpu);
  if (then == books.before.cpus.end() || now == books.after.cpus.end()) return 0;
  return kTickNs * since(then->second.steal, now->second.steal);
}

class Rows {
 public:
  void add(int cpu, const std::string& domain, Layer layer, Part part, std::uint64_t ns) {
    if (ns > 0) entries_.push_back({cpu, domain, layer, part, kCpuTimeKind, ns});
  }
  std::vector<LedgerEntry> take() {
    std::sort(entries_.begin(), entries_.end());
    return std::move(entries_);
  }

 private:
  std::vector<LedgerEntry> entries_;
};

}  // namespace

std::vector<LedgerEntry> xen_ledger(const XenLedgerInput& input) {
  const auto span = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(input.after.at - input.before.at).count());
  const auto domain_0_ran = ran(input, 0), outside = ran_outside(input.books),
             programs = ran_as_program(input.books);
  std::set<int> trial_cpus;
  for (const MeteredProcess& metered : input.books.processes) trial_cpus.insert(metered.cpu);
  Rows rows;
  for (const auto& [cpu, counted] : domain_0_ran) {
    const std::uint64_t busy = std::min(counted, span);
    const bool trial_is_here = trial_cpus.contains(cpu);
    const std::uint64_t driver =
        trial_is_here ? since(at(outside, cpu), busy) : std::min(busy, at(input.books.packets_ns, cpu));
    const std::uint64_t program = trial_is_here ? std::min(driver, at(programs, cpu)) : 0;
    const std::uint64_t stolen = std::min(span - busy, stolen_on(input.books, cpu));
    rows.add(cpu, kDomain0, Layer::driver, Part::program, program);
    rows.add(cpu, kDomain0, Layer::driver, Part::kernel, driver - program);
    rows.add(cpu, "elsewhere", Layer::elsewhere, Part::none, busy - driver);
    rows.add(cpu, "stolen", Layer::elsewhere, Part::none, stolen);
    rows.add(cpu, "idle", Layer::idle, Part::none, span - busy - stolen);
  }
  int cpu = domain_0_ran.empty() ? 0 : domain_0_ran.rbegin()->first + 1;
  for (std::size_t i = 0; i < input.guest_domains.size(); ++i, ++cpu) {
    std::uint64_t counted = 0;
    for (const auto& [virtual_cpu, ns] : ran(input, input.guest_domains[i])) counted += ns;
    const std::uint64_t busy = std::min(counted, span);
    const int number = static_cast<int>(i) + 1;
    const std::string guest = guest_domain_name(number);
    const GuestShare share = guest_share(input.books, number, busy);
    rows.add(cpu, guest, Layer::program, Part::none, share.program);
    rows.add(cpu, guest, Layer::kernel, Part::none, share.kernel);
    rows.add(cpu, guest, Layer::uncharged, Part::none, share.uncharged);
    rows.add(cpu, "idle", Layer::idle, Part::none, span - busy);
  }
  return rows.take();
}

}  // namespace vtax::meter
