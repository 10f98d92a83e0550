#include "simulate/server_flows.h"

#include <algorithm>

#include "simulate/scheduler.h"

namespace vtax::simulate {
namespace {

constexpr std::uint64_t kSegment = 1448;  // payload of a full TCP segment with timestamps
constexpr std::uint64_t kFrame = 1514;    // on a wire whose rate is a token bucket's, as in the lab
constexpr std::uint64_t kHeaders = 66;    // Ethernet's, IP's and TCP's
// Of a socket to which nobody has given another one: so far Linux's buffers let a sender be ahead.
constexpr std::uint64_t kUsualWindow = 256 * 1024;
constexpr std::uint64_t kDatagramsAhead = 92;  // in a send buffer of 208 KiB, each counted with its overhead
constexpr std::size_t kRing = 256;             // slots of a virtual interface's ring
constexpr std::uint64_t kNoWindow = ~std::uint64_t{0} >> 1;

bool is_stream(WorkloadId workload) {
  return workload == WorkloadId::tcp_stream || workload == WorkloadId::udp_stream;
}

std::uint64_t bytes_on_wire(std::uint64_t payload, std::uint64_t largest) {
  return payload + std::max<std::uint64_t>(1, (payload + largest - 1) / largest) * kHeaders;
}

}  // namespace

bool is_exchange(WorkloadId workload) {
  return workload == WorkloadId::tcp_rr || workload == WorkloadId::udp_rr ||
         workload == WorkloadId::tcp_crr || workload == WorkloadId::http;
}

std::uint64_t sum_of(const PricedCell::Costs& costs) {
  std::uint64_t sum = 0;
  for (const auto& [layer, value] : costs) sum += value;
  return sum;
}

std::uint64_t item_bytes(const TrialSpec& spec) {
  return spec.workload == WorkloadId::tcp_stream ? kSegment : spec.write_bytes;
}

// The CPU's time for a cost of the priced cell, for `part` of its amount.
Ns ServerFlows::time_of(std::uint64_t instructions, double part) const {
  return static_cast<Ns>(static_cast<double>(instructions) * part * 1000 / spec_.cpu_mips);
}

FlowPlan ServerFlows::plan_for(Worker& guest, std::uint64_t amount) {
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

FlowPlan ServerFlows::stream(Worker& guest, std::uint64_t amount) {
  const bool is_tcp = spec_.workload == WorkloadId::tcp_stream;
  const std::uint64_t payload = item_bytes(spec_);
  const double part = static_cast<double>(payload) / static_cast<double>(amount_of(prices_.spec));
  const bool sends = spec_.system_initiates;
  const Stage in_guest{.worker = &guest,
                       .queue = guest.add_queue(),
                       .work = time_of(sum_of(prices_.guest), part),
                       .ring = is_tcp || sends ? 0 : kRing};
  const Stage in_driver{.worker = &stations_.driver,
                        .queue = stations_.driver.add_queue(),
                        .work = time_of(sum_of(prices_.driver), part)};
  FlowPlan plan;
  plan.stages = {in_guest, in_driver};
  if (has_wire()) {
    plan.stages.push_back({.wire = sends ? &stations_.out : &stations_.in,
                           .bytes = is_tcp ? kFrame : bytes_on_wire(payload, kSegment)});
    plan.stages.push_back({.worker = &stations_.peer,
                           .queue = stations_.peer.add_queue(),
                           .work = time_of(prices_.peer, part)});
  }
  // Whoever reads runs when the stack's round is over, and gives the window back then. A driver domain that
  // is the other end itself has netback's thread copy to the guest when its sender has no window left.
  if (is_tcp) (sends ? plan.stages.back() : plan.stages.front()).in_batches = true;
  if (!has_wire()) plan.stages[1].in_batches = true;
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

std::uint64_t ServerFlows::window_bytes() const {
  std::uint64_t window = kUsualWindow;
  for (const std::uint64_t named : {spec_.system_window, spec_.peer_window})
    if (named > 0) window = std::min(window, named);
  return window;
}

// What an exchange of the priced cell, where they follow each other, takes beyond the guest's and the
// driver domain's work and the wire: the peer's work and whatever nobody's CPU is busy for. Nothing where
// exchanges of that cell overlap, or it does not say how long they took.
std::optional<Ns> ServerFlows::time_elsewhere(std::uint64_t request, std::uint64_t response) const {
  const TrialSpec& its = prices_.spec;
  const bool overlap =
      its.workload == WorkloadId::http && (its.connections > 1 || its.connections_per_second > 0);
  if (overlap || prices_.window_ns == 0) return std::nullopt;
  const double speed = static_cast<double>(its.cpu_mips) / spec_.cpu_mips;
  const double count = static_cast<double>(amount_of(its));
  double wire = 0;
  if (has_wire() && its.link_mbps > 0)
    wire = static_cast<double>(bytes_on_wire(request, kSegment) + bytes_on_wire(response, kSegment)) * 8000 /
           static_cast<double>(its.link_mbps);
  const double all = (static_cast<double>(prices_.window_ns) / count - wire) * speed;
  const Ns others = time_of(sum_of(prices_.guest) + sum_of(prices_.driver), 1 / count);
  return std::max<Ns>(0, static_cast<Ns>(all) - others);
}

// There and back again. What each end costs is spent half on the way in and half on the way out, but for
// whoever answers. A driver domain that is the other end itself handles all that has come before its thread
// copies answers to guests.
FlowPlan ServerFlows::exchanges(Worker& guest, std::uint64_t amount) {
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
  delays_.push_back(std::make_unique<Wire>(stations_.loop, 0, nobodys));
  const auto visit_peer = [&](Ns work) {
    return Stage{.worker = &stations_.peer, .queue = stations_.peer.add_queue(), .work = work};
  };
  FlowPlan plan;
  std::vector<Stage>& way = plan.stages;
  const auto wait = [&] {
    if (nobodys > 0) way.push_back({.wire = delays_.back().get()});
  };
  if (asks) {
    way = {visit(guest, own, 0.5)};
    wait();  // a client asks again without a break: it is others that have to wake up
    way.push_back(visit(stations_.driver, drivers, has_wire() ? 0.5 : 1));
    if (has_wire()) {
      way.push_back(send(stations_.out, request));
      way.push_back(visit_peer(peers));
      way.push_back(send(stations_.in, response));
      way.push_back(visit(stations_.driver, drivers, 0.5));
    }
    way.back().in_batches = !has_wire();
    way.push_back(visit(guest, own, 0.5));
  } else {
    if (has_wire()) way = {visit_peer(peers / 2), send(stations_.in, request)};
    way.push_back(visit(stations_.driver, drivers, 0.5));
    way.back().in_batches = !has_wire();
    way.push_back(visit(guest, own, 1));
    way.push_back(visit(stations_.driver, drivers, 0.5));
    if (has_wire()) {
      way.push_back(send(stations_.out, response));
      way.push_back(visit_peer(peers - peers / 2));
    }
    wait();
  }
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

}  // namespace vtax::simulate
