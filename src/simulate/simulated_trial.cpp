#include "simulate/simulated_trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "core/sha256.h"
#include "simulate/flow.h"
#include "simulate/random.h"
#include "subject/workload_table.h"

namespace vtax::simulate {
namespace {

constexpr int kDriverCpu = 0, kPeerCpu = 1, kFirstGuestCpu = 2;
constexpr std::uint64_t kSegment = 1448;  // payload of a full TCP segment with timestamps
constexpr std::uint64_t kFrame = 1514;    // on a wire whose rate is a token bucket's, as in the lab
constexpr std::uint64_t kHeaders = 66;    // Ethernet's, IP's and TCP's
// Of a socket to which nobody has given another one: so far Linux's buffers let a sender be ahead.
constexpr std::uint64_t kUsualWindow = 256 * 1024;
constexpr std::uint64_t kDatagramsAhead = 92;  // in a send buffer of 208 KiB, each counted with its overhead
constexpr std::size_t kRing = 256;             // slots of a virtual interface's ring
constexpr std::uint64_t kNoWindow = ~std::uint64_t{0} >> 1;
constexpr Ns kBeginsWithin = 50 * kUs;  // as far apart as the lab's guests begin
constexpr Ns kLongest = 24 * 3600 * kSecond;

bool is_exchange(WorkloadId workload) {
  return workload == WorkloadId::tcp_rr || workload == WorkloadId::udp_rr ||
         workload == WorkloadId::tcp_crr || workload == WorkloadId::http;
}
bool is_stream(WorkloadId workload) {
  return workload == WorkloadId::tcp_stream || workload == WorkloadId::udp_stream;
}

std::uint64_t sum_of(const PricedCell::Costs& costs) {
  std::uint64_t sum = 0;
  for (const auto& [layer, value] : costs) sum += value;
  return sum;
}

std::uint64_t bytes_on_wire(std::uint64_t payload, std::uint64_t largest) {
  return payload + std::max<std::uint64_t>(1, (payload + largest - 1) / largest) * kHeaders;
}

Share domain0(std::uint64_t cpus) {
  return {.cpus = cpus, .period = 20 * kMs, .slice = 15 * kMs, .extra = true, .latency = 5 * kMs};
}

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
    const bool reserves =
        wanted.scheduler == SchedulerKind::sedf || wanted.scheduler == SchedulerKind::atropos;
    const auto of_domain0 = [&](int cpu) {
      return reserves ? domain0(std::uint64_t{1} << cpu) : Share{.cpus = std::uint64_t{1} << cpu};
    };
    driver_ = std::make_unique<Worker>(loop_, processors_, of_domain0(kDriverCpu));
    peer_ = std::make_unique<Worker>(loop_, processors_, of_domain0(kPeerCpu));
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
    guest.cpu = spec_.guest_cpu == GuestCpu::driver     ? kDriverCpu
                : spec_.guest_cpu == GuestCpu::together ? kFirstGuestCpu
                                                        : kFirstGuestCpu + i;
    Share share{.cpus = std::uint64_t{1} << guest.cpu};
    if (spec_.guest_weights == GuestWeights::halving) share.weight >>= i;
    share.cap_percent = spec_.guest_cap_percent;
    guest.worker = std::make_unique<Worker>(loop_, processors_, share);
    guest.amount = amount_of(spec_);
    if (spec_.loads == Loads::halving) guest.amount = std::max<std::uint64_t>(1, guest.amount >> i);
    guest.flow = std::make_unique<Flow>(loop_, plan_for(*guest.worker, guest.amount));
    const Ns begin = static_cast<Ns>(random_.uniform() * static_cast<double>(kBeginsWithin));
    guest.flow->start(begin);
    if (spec_.softload_percent > 0)
      guest.worker->hold_softload(spec_.softload_percent, static_cast<Ns>(random_.uniform() * 10.0 * kMs));
    guests_.push_back(std::move(guest));
  }

  // The CPU's time for a cost of the priced cell, for `part` of its amount.
  [[nodiscard]] Ns time_of(std::uint64_t instructions, double part) const {
    return static_cast<Ns>(static_cast<double>(instructions) * part * 1000 / spec_.cpu_mips);
  }

  [[nodiscard]] FlowPlan plan_for(Worker& guest, std::uint64_t amount) {
    if (is_stream(spec_.workload)) return stream(guest, amount);
    if (is_exchange(spec_.workload)) return exchanges(guest, amount);
    // Work without traffic is one piece.
    const double part = static_cast<double>(amount) / static_cast<double>(amount_of(prices_.spec));
    FlowPlan plan;
    plan.stages = {
        {.worker = &guest, .queue = guest.add_queue(), .work = time_of(sum_of(prices_.guest), part)}};
    plan.items = 1;
    return plan;
  }

  [[nodiscard]] bool has_wire() const { return spec_.topology != Topology::inside; }

  [[nodiscard]] FlowPlan stream(Worker& guest, std::uint64_t amount) {
    const bool is_tcp = spec_.workload == WorkloadId::tcp_stream;
    const std::uint64_t payload = is_tcp ? kSegment : spec_.write_bytes;
    const double part = static_cast<double>(payload) / static_cast<double>(amount_of(prices_.spec));
    const bool sends = spec_.system_initiates;
    const Stage in_guest{.worker = &guest,
                         .queue = guest.add_queue(),
                         .work = time_of(sum_of(prices_.guest), part),
                         .ring = is_tcp || sends ? 0 : kRing};
    const Stage in_driver{.worker = driver_.get(),
                          .queue = driver_->add_queue(),
                          .work = time_of(sum_of(prices_.driver), part)};
    FlowPlan plan;
    plan.stages = {in_guest, in_driver};
    if (has_wire()) {
      plan.stages.push_back(
          {.wire = sends ? &out_ : &in_, .bytes = is_tcp ? kFrame : bytes_on_wire(payload, kSegment)});
      plan.stages.push_back(
          {.worker = peer_.get(), .queue = peer_->add_queue(), .work = time_of(prices_.peer, part)});
    }
    if (!sends) std::reverse(plan.stages.begin(), plan.stages.end());
    plan.items = (amount + payload - 1) / payload;
    if (is_tcp) {
      plan.window = std::max<std::uint64_t>(1, window_bytes() / kSegment);
      return plan;
    }
    plan.window = kDatagramsAhead;
    plan.freed_after = !has_wire() ? 0 : sends ? 2 : 1;
    if (spec_.rate_mbps > 0) plan.interval = static_cast<Ns>(payload * 8000 / spec_.rate_mbps);
    return plan;
  }

  [[nodiscard]] std::uint64_t window_bytes() const {
    std::uint64_t window = kUsualWindow;
    for (const std::uint64_t named : {spec_.system_window, spec_.peer_window})
      if (named > 0) window = std::min(window, named);
    return window;
  }

  // What an exchange of the priced cell, where they follow each other, takes beyond the guest's and the
  // driver domain's work and the wire: the peer's work and whatever nobody's CPU is busy for. Nothing where
  // exchanges of that cell overlap, or it does not say how long they took.
  [[nodiscard]] std::optional<Ns> time_elsewhere(std::uint64_t request, std::uint64_t response) const {
    const TrialSpec& its = prices_.spec;
    const bool overlap =
        its.workload == WorkloadId::http && (its.connections > 1 || its.connections_per_second > 0);
    if (overlap || prices_.window_ns == 0) return std::nullopt;
    const double speed = static_cast<double>(its.cpu_mips) / spec_.cpu_mips;
    const double count = static_cast<double>(amount_of(its));
    double wire = 0;
    if (has_wire() && its.link_mbps > 0)
      wire = static_cast<double>(bytes_on_wire(request, kSegment) + bytes_on_wire(response, kSegment)) *
             8000 / static_cast<double>(its.link_mbps);
    const double all = (static_cast<double>(prices_.window_ns) / count - wire) * speed;
    const Ns others = time_of(sum_of(prices_.guest) + sum_of(prices_.driver), 1 / count);
    return std::max<Ns>(0, static_cast<Ns>(all) - others);
  }

  // There and back again. What each end costs is spent half on the way in and half on the way out, but for
  // whoever answers.
  [[nodiscard]] FlowPlan exchanges(Worker& guest, std::uint64_t amount) {
    const double part = 1 / static_cast<double>(amount_of(prices_.spec));
    const auto bytes = static_cast<std::uint64_t>(static_cast<double>(prices_.work.bytes.value) * part);
    const bool asks = spec_.system_initiates;
    const std::uint64_t request = spec_.workload == WorkloadId::http ? 0 : spec_.request_bytes;
    const std::uint64_t response = spec_.workload == WorkloadId::http ? bytes : spec_.response_bytes;
    const auto visit = [&](Worker& worker, std::uint64_t cost, double share) {
      return Stage{.worker = &worker, .queue = worker.add_queue(), .work = time_of(cost, part * share)};
    };
    const std::uint64_t own = sum_of(prices_.guest), drivers = sum_of(prices_.driver);
    const auto send = [&](Wire& wire, std::uint64_t payload) {
      return Stage{.wire = &wire, .bytes = bytes_on_wire(payload, kSegment)};
    };
    Ns peers = time_of(prices_.peer, part), nobodys = 0;
    if (const auto elsewhere = time_elsewhere(request, response)) {
      peers = std::min(peers, *elsewhere);
      nobodys = *elsewhere - peers;
    }
    delays_.push_back(std::make_unique<Wire>(loop_, 0, nobodys));
    const auto visit_peer = [&](Ns work) {
      return Stage{.worker = peer_.get(), .queue = peer_->add_queue(), .work = work};
    };
    FlowPlan plan;
    std::vector<Stage>& way = plan.stages;
    if (asks) {
      way = {visit(guest, own, 0.5), visit(*driver_, drivers, has_wire() ? 0.5 : 1)};
      if (has_wire()) {
        way.push_back(send(out_, request));
        way.push_back(visit_peer(peers));
        way.push_back(send(in_, response));
        way.push_back(visit(*driver_, drivers, 0.5));
      }
      way.push_back(visit(guest, own, 0.5));
    } else {
      if (has_wire()) way = {visit_peer(peers / 2), send(in_, request)};
      way.push_back(visit(*driver_, drivers, 0.5));
      way.push_back(visit(guest, own, 1));
      way.push_back(visit(*driver_, drivers, 0.5));
      if (has_wire()) {
        way.push_back(send(out_, response));
        way.push_back(visit_peer(peers - peers / 2));
      }
    }
    if (nobodys > 0) way.push_back({.wire = delays_.back().get()});
    plan.items = amount;
    plan.records_latency = true;
    if (spec_.workload != WorkloadId::http) return plan;
    plan.window = spec_.connections;
    if (spec_.connections_per_second == 0) return plan;
    plan.window = kNoWindow;
    const std::uint64_t a_second = spec_.connections_per_second * spec_.requests_per_connection;
    plan.interval = std::max<Ns>(1, kSecond / static_cast<Ns>(a_second));
    return plan;
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
  std::vector<std::unique_ptr<Wire>> delays_;  // of each guest's exchanges
  std::unique_ptr<Worker> driver_, peer_;
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
                                                  {spec.cards > 1, "cards above 1"},
                                                  {spec.loads == Loads::opposed, "loads = opposed"},
                                                  {spec.sampling_hz > 0, "sampling_hz above 0"},
                                                  {spec.balloon_mib > 0, "balloon_mib above 0"},
                                                  {spec.caches != "off", "caches"},
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
