#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/enum_names.h"
#include "core/json_fields.h"
#include "core/result.h"
#include "subject/platform_table.h"

// One trial, typed: what is asked for, from the study reader to the agent. factor_table.h says of each factor
// which field it is; the values here are the factors' defaults.
namespace vtax {

// Where the other end of the traffic is: in the same machine; behind two network cards joined by a wire, on a
// CPU of the same machine; or in another machine.
enum class Topology { inside, card, joined };
template <>
inline constexpr auto enum_names<Topology> = EnumNames<Topology, 3>{
    {{Topology::inside, "inside"}, {Topology::card, "card"}, {Topology::joined, "joined"}}};

// What the guests beside the first do: the same; each half of what the one before it does; or, the second,
// fourth, ..., the same in the other direction.
enum class Loads { equal, halving, opposed };
template <>
inline constexpr auto enum_names<Loads> =
    EnumNames<Loads, 3>{{{Loads::equal, "equal"}, {Loads::halving, "halving"}, {Loads::opposed, "opposed"}}};

// Of guests: each CPUs of its own, all on the first one's, or all on the driver domain's.
enum class GuestCpu { own, together, driver };
template <>
inline constexpr auto enum_names<GuestCpu> = EnumNames<GuestCpu, 3>{
    {{GuestCpu::own, "own"}, {GuestCpu::together, "together"}, {GuestCpu::driver, "driver"}}};

// What the driver domain (or a container's host) does with the systems' packets: switches them by Ethernet
// address; routes them between two subnets; or routes and translates addresses, so that the peers see its
// own; or nothing, as each guest has a virtual function of the card (SR-IOV), and the card is the switch.
// Natively there is nobody between.
enum class Forwarding { bridge, route, nat, macvtap, vf };
template <>
inline constexpr auto enum_names<Forwarding> = EnumNames<Forwarding, 5>{{{Forwarding::bridge, "bridge"},
                                                                         {Forwarding::route, "route"},
                                                                         {Forwarding::nat, "nat"},
                                                                         {Forwarding::macvtap, "macvtap"},
                                                                         {Forwarding::vf, "vf"}}};

// With several CPUs of the driver domain: the interrupts of cards go to the first and those of virtual
// interfaces, queue by queue, to the others; the other way round; all to the first; or each wire's, of its
// card and of its guests' interfaces, to a CPU of its own.
enum class DriverInterrupts { apart, swapped, first, by_card };
template <>
inline constexpr auto enum_names<DriverInterrupts> =
    EnumNames<DriverInterrupts, 4>{{{DriverInterrupts::apart, "apart"},
                                    {DriverInterrupts::swapped, "swapped"},
                                    {DriverInterrupts::first, "first"},
                                    {DriverInterrupts::by_card, "by-card"}}};

// Xen's schedulers; the last two know neither weights nor caps.
enum class Scheduler { credit2, credit, rtds, null };
template <>
inline constexpr auto enum_names<Scheduler> = EnumNames<Scheduler, 4>{{{Scheduler::credit2, "credit2"},
                                                                       {Scheduler::credit, "credit"},
                                                                       {Scheduler::rtds, "rtds"},
                                                                       {Scheduler::null, "null"}}};

// Of the guests, for the scheduler: alike, or each half of the one before.
enum class GuestWeights { equal, halving };
template <>
inline constexpr auto enum_names<GuestWeights> =
    EnumNames<GuestWeights, 2>{{{GuestWeights::equal, "equal"}, {GuestWeights::halving, "halving"}}};

// With Xen: none; one, as driver domains have it always; for Domain-0's devices too.
enum class Iommu { off, on, strict };
template <>
inline constexpr auto enum_names<Iommu> =
    EnumNames<Iommu, 3>{{{Iommu::off, "off"}, {Iommu::on, "on"}, {Iommu::strict, "strict"}}};

enum class WorkloadId {
  tcp_stream,
  udp_stream,
  tcp_rr,
  udp_rr,
  tcp_crr,
  http,
  memory,
  linpack,
  cpu_loop,
  compile,
  disk,
  program,
};

// What distinguishes booted machines of one image: another shape is another snapshot.
struct MachineShape {
  int guests = 1;       // each has CPUs of its own behind the driver domain's
  int guest_cpus = 1;   // of each guest
  int driver_cpus = 1;  // of Domain-0 or KVM's host, besides the peer's CPU 1
  Scheduler scheduler = Scheduler::credit2;
  int cards = 1;                       // of the system, each with a wire of its own to a card of the peer
  int guest_memory_mib = 192;          // of each guest
  int driver_domains = 0;              // with Xen: that have a card each; 0: Domain-0 has them
  Iommu iommu = Iommu::off;            // driver domains need one
  std::string stack = "distribution";  // what it boots: stack.h
  std::string guest_kernel = "same";   // the stack whose kernel its guests boot, or the driver domain's
  // Appended to command lines (boot_arguments.h): of the driver domain's kernel, natively the system's; of
  // the guests' kernels; of Xen.
  std::string kernel_args = {}, guest_args = {}, xen_args = {};
  bool virtual_functions = false;  // its card has some, and guests may be given them
  bool compiler = false;           // its systems hold one, and guests more memory
  std::string packages = {};  // of a program, which its systems hold likewise: names of Debian's packages
  std::string files = {};     // of a program: a folder, or one static program, of the measuring computer

  auto operator<=>(const MachineShape&) const = default;
};

struct TrialSpec : MachineShape {
  PlatformId platform = PlatformId::native;
  Topology topology = Topology::card;
  bool offloads = true;
  Loads loads = Loads::equal;
  GuestCpu guest_cpu = GuestCpu::own;
  int softload_percent = 0;
  int cpu_mips = 500;
  int round_instructions = 2000;
  unsigned sampling_hz = 0;
  std::uint64_t system_window = 0, peer_window = 0;  // socket buffers, bytes; 0: the kernel's own
  std::uint64_t link_mbps = 0;                       // 0: as fast as the cards are
  int link_us = 20;                                  // that a packet takes from one machine to another
  int machines = 1;                                  // whose guests ask the driver domain of the first one
  bool own_guests_ask = true;                        // those of that one, too
  Forwarding forwarding = Forwarding::bridge;
  DriverInterrupts driver_interrupts = DriverInterrupts::apart;
  GuestWeights guest_weights = GuestWeights::equal;
  int guest_cap_percent = 0;   // of a CPU, the most for each guest; 0: no cap
  int balloon_mib = 0;         // of memory that each guest keeps; 0: all that it was booted with
  std::string caches = "off";  // that are modelled: as core/cache_shape.h reads them
  bool schedule = false;       // is recorded
  std::string prices = "off";  // at which time passes: as core/lab_prices.h reads them
  bool hardware_counters = false;
  std::uint64_t window_ms = 0;     // that the work is grown to; 0: it is as much as it is
  std::string variation = "none";  // of --vary; no factor of a study (machine/lab/variation.h)

  // Of the workload, as far as its row has them (workload_table.h).
  WorkloadId workload = WorkloadId::tcp_stream;
  bool system_initiates = false;  // direction "send"
  std::uint64_t bytes = 0, write_bytes = 0, warmup_bytes = 0, rate_mbps = 0;
  std::uint64_t transactions = 0, request_bytes = 0, response_bytes = 0, warmup_transactions = 0;
  std::uint64_t requests = 0, connections = 0, requests_per_connection = 0, file_bytes = 0,
                connections_per_second = 0, warmup_requests = 0;
  bool file_set = false;
  std::uint64_t array_bytes = 0, rounds = 0;
  std::uint64_t size = 0, systems = 0;
  bool single_precision = true;
  std::uint64_t iterations = 0;
  std::uint64_t compiles = 0;
  std::string source;
  std::uint64_t block_bytes = 0;
  bool writes = true, random = false, direct = false, in_tmpdir = false;
  std::string prepare, server, ready, client, operations;  // command lines and what they say (program_text.h)
  std::string user = "root";                               // whose rights these have
  std::uint64_t limit_seconds = 60;
  bool warms_up = true;
  bool marks_window = false;  // the program does, not its run

  bool operator==(const TrialSpec&) const = default;
};

// Of several machines together: each has an address and ports of its own.
inline constexpr int kMostJoinedGuests = 8;

// How many systems under test work at once, each with its partner.
[[nodiscard]] inline int systems_at_work(const TrialSpec& trial) {
  return trial.guests * (trial.own_guests_ask ? trial.machines : trial.machines - 1);
}

// From canonical factors by name, "workload" among them; what is left out has its default. Errors (usage): no
// such factor of this workload, a value that is not canonical.
[[nodiscard]] Result<TrialSpec> trial_spec_of(const std::map<std::string, std::string>& factors);

// The trial as the plan says it, and read back (docs/design/architecture.md, "The plan"): the factors that
// are for the plan or the emulator, and all of the workload's own. Reading demands "platform", "topology",
// "workload" and the workload's own; `more` are keys besides the factors, which are passed over. Every other
// key is an error.
[[nodiscard]] nlohmann::json to_json(const TrialSpec& spec);
[[nodiscard]] Result<TrialSpec> trial_spec_from(const JsonFields& plan,
                                                const std::vector<std::string_view>& more);

}  // namespace vtax
