#include "simulate/simulated_trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/sha256.h"
#include "simulate/random.h"
#include "simulate/server_cpus.h"
#include "simulate/server_flows.h"
#include "subject/workload_table.h"

namespace vtax::simulate {
namespace {

constexpr Ns kBeginsWithin = 50 * kUs;  // as far apart as the lab's guests begin
constexpr Ns kLongest = 24 * 3600 * kSecond;

// Who works in one trial, and their flows.
class Server {
 public:
  Server(const SimulatedTrial& wanted, const PricedCell& prices)
      : spec_(wanted.spec),
        prices_(prices),
        random_(wanted.seed),
        processors_(loop_, make_scheduler(wanted.scheduler), kFirstGuestCpu + wanted.spec.guests),
        in_(loop_, static_cast<double>(spec_.link_mbps) * 1e6, 0),
        out_(loop_, static_cast<double>(spec_.link_mbps) * 1e6, 0) {
    driver_ = std::make_unique<Worker>(loop_, processors_, share_of_domain0(wanted.scheduler, kDriverCpu));
    peer_ = std::make_unique<Worker>(loop_, processors_, share_of_domain0(wanted.scheduler, kPeerCpu));
    flows_.emplace(ServerStations{loop_, *driver_, *peer_, in_, out_}, spec_, prices_);
    for (int i = 0; i < spec_.guests; ++i) add_guest(i);
  }

  [[nodiscard]] Result<> run() {
    while (!is_over() && loop_.now() < kLongest && loop_.step()) {
    }
    if (!is_over())
      return fail({"cannot simulate the trial", "a guest has not ended its work within a simulated day",
                   "its virtual CPU may never run: the scheduler gives it none", ExitCode::trial_failed});
    for (const Guest& guest : guests_)
      if (guest.flow->lost() > 0)
        return fail({"cannot simulate the trial",
                     fmt::format("{} of {} datagrams found a full ring", guest.flow->lost(),
                                 guest.flow->lost() + guest.flow->done()),
                     "take a lower rate_mbps", ExitCode::trial_failed});
    return {};
  }

  void write(Trial& trial) {
    Ns begin = kForever, end = 0;
    for (const Guest& guest : guests_) {
      begin = std::min(begin, guest.flow->begin());
      end = std::max(end, guest.flow->end());
    }
    trial.window_virtual_ns = static_cast<std::uint64_t>(end - begin);
    for (std::size_t i = 0; i < guests_.size(); ++i) write_guest(i, trial);
    std::uint64_t done = 0;
    for (const Guest& guest : guests_) done += guest.amount;
    write_costs(prices_.driver, done, kDriverCpu, "Domain-0", trial);
    trial.peer_total = Instructions(scaled(prices_.peer, done));
    add_busy(kDriverCpu, *driver_, "Domain-0", trial);
    if (prices_.peer > 0) add_busy(kPeerCpu, *peer_, "peer", trial);
    std::sort(trial.busy.begin(), trial.busy.end());
    for (const LedgerEntry& entry : trial.ledger) trial.machine_total += Instructions(entry.value);
  }

 private:
  struct Guest {
    std::unique_ptr<Worker> worker;
    std::unique_ptr<Flow> flow;
    std::uint64_t amount = 0;
    int cpu = 0;
  };

  void add_guest(int i) {
    Guest guest;
    guest.cpu = cpu_of_guest(spec_, i);
    guest.worker = std::make_unique<Worker>(loop_, processors_, share_of_guest(spec_, i));
    guest.amount = amount_of(spec_);
    if (spec_.loads == Loads::halving) guest.amount = std::max<std::uint64_t>(1, guest.amount >> i);
    guest.flow = std::make_unique<Flow>(loop_, flows_->plan_for(*guest.worker, guest.amount));
    const Ns begin = static_cast<Ns>(random_.uniform() * static_cast<double>(kBeginsWithin));
    guest.flow->start(begin);
    if (spec_.softload_percent > 0)
      guest.worker->hold_softload(spec_.softload_percent, static_cast<Ns>(random_.uniform() * 10.0 * kMs));
    guests_.push_back(std::move(guest));
  }

  [[nodiscard]] bool is_over() const {
    return std::all_of(guests_.begin(), guests_.end(),
                       [](const Guest& guest) { return guest.flow->is_over(); });
  }

  // A count of the priced cell, for this amount.
  [[nodiscard]] std::uint64_t scaled(std::uint64_t count, std::uint64_t amount) const {
    const double part = static_cast<double>(amount) / static_cast<double>(amount_of(prices_.spec));
    return static_cast<std::uint64_t>(static_cast<double>(count) * part + 0.5);
  }

  void write_costs(const PricedCell::Costs& costs, std::uint64_t amount, int cpu, const std::string& domain,
                   Trial& trial) {
    for (const auto& [layer, value] : costs)
      trial.ledger.push_back({cpu, domain, layer.first, layer.second, "instructions", scaled(value, amount)});
  }

  void add_busy(int cpu, const Worker& worker, const std::string& domain, Trial& trial) {
    if (const Ns busy = processors_.busy(cpu, worker.vcpu()); busy > 0)
      trial.busy.push_back({cpu, domain, static_cast<std::uint64_t>(busy)});
  }

  void write_guest(std::size_t i, Trial& trial) {
    const Guest& guest = guests_[i];
    const std::string name = fmt::format("guest{}", i + 1);
    GuestWork work{name, Bytes(scaled(prices_.work.bytes.value, guest.amount)),
                   Transactions(scaled(prices_.work.transactions.value, guest.amount)),
                   static_cast<std::uint64_t>(guest.flow->end() - guest.flow->begin())};
    trial.work.bytes += work.bytes;
    trial.work.transactions += work.transactions;
    trial.guests.push_back(std::move(work));
    write_costs(prices_.guest, guest.amount, guest.cpu, name, trial);
    const auto softload = static_cast<std::uint64_t>(static_cast<double>(guest.worker->softload_time()) *
                                                     spec_.cpu_mips / 1000);
    if (softload > 0) {
      const auto program = std::find_if(
          trial.ledger.begin(), trial.ledger.end(),
          [&](const LedgerEntry& entry) { return entry.domain == name && entry.layer == Layer::program; });
      if (program != trial.ledger.end())
        program->value += softload;
      else
        trial.ledger.push_back({guest.cpu, name, Layer::program, Part::none, "instructions", softload});
    }
    add_busy(guest.cpu, *guest.worker, name, trial);
    write_waiting(name, guest.flow->latencies(), trial);
  }

  static void write_waiting(const std::string& name, std::vector<std::uint64_t> latencies, Trial& trial) {
    if (latencies.empty()) return;
    std::sort(latencies.begin(), latencies.end());
    const auto rank = [&](std::size_t thousandths) {
      return latencies[(latencies.size() * thousandths + 999) / 1000 - 1];
    };
    Waiting waiting{name,      latencies.size(), 0,         latencies.front(), rank(500),
                    rank(900), rank(990),        rank(999), latencies.back()};
    for (const std::uint64_t latency : latencies) waiting.sum_ns += latency;
    trial.waiting.push_back(std::move(waiting));
  }

  const TrialSpec& spec_;
  const PricedCell& prices_;
  EventLoop loop_;
  Random random_;
  Processors processors_;
  Wire in_, out_;
  std::unique_ptr<Worker> driver_, peer_;
  std::optional<ServerFlows> flows_;
  std::vector<Guest> guests_;
};

// Over every number that the trial has.
std::string digest_of(const Trial& trial) {
  Sha256 hash;
  hash.add(
      fmt::format("{} {} {}\n", trial.window_virtual_ns, trial.machine_total.value, trial.peer_total.value));
  for (const GuestWork& guest : trial.guests)
    hash.add(fmt::format("{} {} {} {}\n", guest.guest, guest.bytes.value, guest.transactions.value,
                         guest.virtual_ns));
  for (const Busy& busy : trial.busy) hash.add(fmt::format("{} {} {}\n", busy.cpu, busy.domain, busy.ns));
  for (const Waiting& waiting : trial.waiting)
    hash.add(fmt::format("{} {} {} {} {}\n", waiting.guest, waiting.count, waiting.sum_ns, waiting.p50_ns,
                         waiting.p999_ns));
  return hash.hex();
}

}  // namespace

std::optional<std::string> obstacle_to_simulating(const TrialSpec& spec, SchedulerKind scheduler) {
  if (!has_xen(spec.platform) || spec.platform == PlatformId::xen_hvm)
    return fmt::format("platform {}: it knows guests of Xen with paravirtual drivers alone",
                       name_of(spec.platform));
  if (amount_of(spec) == 0) return fmt::format("workload {}", workload_of(spec.workload).name);
  const std::pair<bool, const char*> unknown[] = {{spec.guest_cpus > 1, "guest_cpus above 1"},
                                                  {spec.driver_cpus > 1, "driver_cpus above 1"},
                                                  {spec.driver_domains > 0, "driver_domains above 0"},
                                                  {spec.machines > 1, "machines above 1"},
                                                  {spec.cards > 1, "cards above 1"},
                                                  {spec.loads == Loads::opposed, "loads = opposed"},
                                                  {spec.sampling_hz > 0, "sampling_hz above 0"},
                                                  {spec.balloon_mib > 0, "balloon_mib above 0"},
                                                  {spec.caches != "off", "caches"},
                                                  {spec.prices != "off", "prices"},
                                                  {spec.variation != "none", "variations"}};
  for (const auto& [is_asked, name] : unknown)
    if (is_asked) return name;
  const bool weighs = spec.guest_weights != GuestWeights::equal || spec.guest_cap_percent > 0;
  const bool is_bvt = scheduler == SchedulerKind::bvt || scheduler == SchedulerKind::bvt_shipped;
  if (weighs && (scheduler == SchedulerKind::rtds || scheduler == SchedulerKind::null ||
                 scheduler == SchedulerKind::atropos))
    return fmt::format("weights and caps with scheduler {}, which has none", name_of(scheduler));
  if (is_bvt && spec.guest_cap_percent > 0) return "caps with scheduler bvt, which has none";
  if (scheduler == SchedulerKind::null && spec.guest_cpu != GuestCpu::own && spec.guests > 1)
    return "scheduler null with guests that share a CPU: all but one would never run";
  if (scheduler == SchedulerKind::null && spec.guest_cpu == GuestCpu::driver)
    return "scheduler null with a guest on the driver domain's CPU: it would never run";
  return std::nullopt;
}

Result<> simulate(const SimulatedTrial& wanted, const PricedCell& prices, Trial& trial) {
  Server server(wanted, prices);
  if (auto run = server.run(); !run) return run;
  server.write(trial);
  trial.digest = digest_of(trial);
  return {};
}

}  // namespace vtax::simulate
