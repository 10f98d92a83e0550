#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "watch/inside_use.h"

// What a running computer did between two looks at it, and for whom. Whoever shows, records or exports it
// needs nothing but this. What is not known is absent, never zero.
namespace vtax::watch {

enum class GuestKind { xen, kvm, qemu, uml, container };

// How the driver's work is charged to guests.
enum class ChargeBy {
  work,     // by thread, device and packet
  packets,  // by each guest's share of all packets: equations 4.6 and 4.7 (account/charging.h)
};

// CPU time that the driver domain or the host spent for one guest, in nanoseconds.
struct CausedTime {
  std::uint64_t threads_ns = 0;  // of threads that serve nobody else: netback, vhost, QEMU's other threads
  std::uint64_t packets_ns = 0;  // in softirqs for its packets, on whosever back
  std::uint64_t shared_ns =
      0;  // its part of work that no rule can split by cause; Reading::shared_by says how
  [[nodiscard]] std::uint64_t total() const { return threads_ns + packets_ns + shared_ns; }
};

struct MemoryUse {
  std::optional<std::uint64_t> given_bytes;    // what the guest may use at most
  std::optional<std::uint64_t> used_bytes;     // what it takes of this computer's memory now
  std::optional<std::uint64_t> balloon_bytes;  // what a balloon has taken back from it
};

// Of the interval, as the guest sees it: received is what came to it.
struct NetworkUse {
  std::uint64_t received_packets = 0, sent_packets = 0;
  std::uint64_t received_bytes = 0, sent_bytes = 0;
  std::uint64_t drops = 0;
};

struct DiskUse {
  std::uint64_t reads = 0, writes = 0;
  std::uint64_t read_bytes = 0, written_bytes = 0;
};

// Time of one virtual CPU within the interval; a container has none.
struct VirtualCpuUse {
  int number = 0;
  std::uint64_t own_ns = 0;
  std::optional<std::uint64_t> waiting_ns;  // runnable but not running
  std::optional<std::uint64_t> blocked_ns;  // nothing to do
  std::optional<int> cpu;                   // where it ran last
};

struct GuestUse {
  std::string name;      // unique in a reading
  std::string id;        // by which the host knows it: domain number, process, path of a control group
  std::string found_by;  // who named it: "xl", "libvirt", "docker", "systemd", "process", ...
  GuestKind kind = GuestKind::container;
  bool paused = false;
  std::uint64_t own_ns = 0;
  CausedTime caused;
  std::optional<std::uint64_t> waiting_ns, blocked_ns;  // of all its virtual CPUs or tasks
  std::optional<std::uint64_t> switches;                // of its virtual CPUs or tasks, onto a CPU
  std::optional<std::uint64_t> exits;                   // from guest to hypervisor
  std::optional<std::uint64_t> busy_so_far_ns;          // own time since the guest began
  MemoryUse memory;
  std::optional<NetworkUse> network;
  std::optional<DiskUse> disk;
  std::vector<VirtualCpuUse> virtual_cpus;
  std::optional<InsideUse> inside;  // where its agent is asked
};

// Where CPU time went that is no guest's. With the guests' own and caused time it adds up to the time of all
// CPUs, for the computer as for each CPU of it.
struct OtherTime {
  std::uint64_t driver_ns = 0;     // the driver domain's or host's own work, for no guest in particular
  std::uint64_t uncharged_ns = 0;  // spent for guests, but for which is not known
  std::uint64_t elsewhere_ns = 0;  // other programs of the host
  std::uint64_t vtax_ns = 0;       // this monitor
  std::uint64_t stolen_ns = 0;     // taken by the machine below
  std::uint64_t idle_ns = 0;
  [[nodiscard]] std::uint64_t total() const {
    return driver_ns + uncharged_ns + elsewhere_ns + vtax_ns + stolen_ns + idle_ns;
  }
};

struct CpuUse {
  int number = 0;
  std::uint64_t guests_ns = 0;  // own time of guests
  std::uint64_t caused_ns = 0;
  OtherTime other;
};

struct Reading {
  std::chrono::system_clock::time_point at;  // the interval's end
  std::chrono::nanoseconds interval{};       // above zero
  std::uint64_t number = 0;                  // counts from 1
  std::string driver;                        // "host", or "Domain-0" on Xen
  ChargeBy charge_by = ChargeBy::work;
  std::string shared_by;  // the rule by which CausedTime::shared_ns was split; empty: there was none to split
  std::vector<GuestUse> guests;  // by name
  OtherTime other;
  std::vector<CpuUse> cpus;             // by number; empty where the books do not tell CPUs apart
  std::vector<std::string> came, gone;  // names, since the reading before
  // What cannot be seen here, why, and what to do about it; a sentence each.
  std::vector<std::string> missing;

  // Time of all CPUs in the interval: the guests' own and caused time and `other` add up to it, exactly.
  std::uint64_t all_cpus_ns = 0;
};

}  // namespace vtax::watch
