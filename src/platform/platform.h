#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "platform/endpoint_process.h"
#include "subject/trial_spec.h"
#include "workload/traffic/endpoint_client.h"

namespace vtax {

// Where a pair's responder listens: each pair has a port of its own.
[[nodiscard]] constexpr std::uint16_t work_port_of(int guest) {
  return static_cast<std::uint16_t>(5200 + guest);
}

struct Setup {
  // What the trial asks for; CPUs and cards are the caller's to name.
  [[nodiscard]] static Setup of(const TrialSpec& trial);
  auto operator<=>(const Setup&) const = default;

  Topology topology = Topology::inside;
  bool offloads = true;  // TSO, GSO and GRO of every device along the path
  int system_cpu = 0;    // of the program under test (a guest has its own numbering and ignores it)
  int peer_cpu = 0;      // of the other end
  std::string system_card, peer_card;      // devices of the caller's namespace; for Topology::card only
  std::uint64_t link_bits_per_second = 0;  // of the wire between the cards, all its bits; 0: as it is
  int softload_percent = 0;                // of its CPU, beside each system's work
  unsigned sampling_hz = 0;  // of a profiler in each system and, where there is one, the driver domain
  int guests = 1;            // systems under test that work at once, each with a partner
  Forwarding forwarding = Forwarding::bridge;
  std::vector<int> more_driver_cpus;  // of Xen's driver domain or KVM's host, besides its first; empty: none
  DriverInterrupts interrupts = DriverInterrupts::apart;
  std::string second_system_card, second_peer_card;  // of a second wire, if there is one
  // The peers, where they are in another machine: of guest 1, 2, ..., the caller's. `peer_card` is then their
  // card as they call it.
  std::vector<EndpointClient>* peers_elsewhere = nullptr;
  std::shared_ptr<const GuestEnds> guest_ends;  // of the caller's guests; nothing: it has none

  // Who has the card behind a wire, as counters name it.
  [[nodiscard]] std::string peer_domain(const std::string& here) const {
    return peers_elsewhere != nullptr ? "peer" : here;
  }

  // Systems are shared out over the wires in turn; a wire without a system stays unused.
  [[nodiscard]] int wires() const { return second_system_card.empty() || guests < 2 ? 1 : 2; }
  [[nodiscard]] int wire_of(int guest) const { return (guest - 1) % wires(); }
  [[nodiscard]] const std::string& system_card_of(int wire) const {
    return wire == 0 ? system_card : second_system_card;
  }
  [[nodiscard]] const std::string& peer_card_of(int wire) const {
    return wire == 0 ? peer_card : second_peer_card;
  }
};

struct CountedDevice {
  std::string side;    // "system" (under test) or "peer"
  std::string domain;  // "host", "Domain-0", "guest1"
  std::string device;
};

// Of another domain: its agent reads their counters (driven_guests.h).
struct RemoteDevices {
  EndpointClient* client = nullptr;
  std::vector<CountedDevice> devices;
};

struct End {
  EndpointClient* client = nullptr;  // owned by the platform
  std::string ipv4;
  bool in_guest = false;               // its control connection shares devices with the traffic
  std::vector<CountedDevice> devices;  // in its network namespace: only it can read their counters
  std::string name = {};               // of a system under test: "guest1", "process1", "container1"
  std::string known_as = {};           // the address under which the other end reaches it; empty: ipv4
};

struct EndPair {
  End system, peer;
};

// A process of the bench, for a meter that looks from outside; its threads and children belong to it.
struct MeteredProcess {
  enum class Role {
    system,    // the program under test, on the measuring kernel itself
    partner,   // the other end
    emulator,  // a guest's QEMU
    kvm,       // a guest's QEMU with KVM: its virtual CPUs' threads have guest time
    uml,       // a guest that is a program: User Mode Linux
  };
  pid_t process = 0;  // below zero: of that number in the namespace around the sandbox
  Role role = Role::system;
  int cpu = 0;    // to which it is pinned
  int guest = 1;  // whose it is, where it is a guest's
};

// Two ends that reach each other, and every device between them.
struct Bench {
  // Of system 1, 2, ...
  void add(int number, EndPair pair) {
    if (number > 1) {
      more.push_back(std::move(pair));
    } else {
      system = std::move(pair.system);
      peer = std::move(pair.peer);
    }
  }

  // Whoever waits for any end hears when one of these guests dies.
  void end_with(const std::shared_ptr<const GuestEnds>& guests) const;

  End system, peer;
  std::vector<CountedDevice> here;  // in the caller's network namespace
  // The two ends of the last hop (with cards: the wire). What these receive are the packets of the work: a
  // card that segments counts what it is given when it sends, but single packets when it receives. `lo` is
  // both ends.
  std::vector<CountedDevice> wire;
  std::vector<EndPair> more = {};  // the second system under test with its partner, the third, ...
  std::vector<MeteredProcess> processes = {};
  std::vector<RemoteDevices> elsewhere = {};
  // Where the guests are Xen's and this is Domain-0: the number of guest 1, 2, ...'s domain, and what the
  // names of the kernel's threads that work for them begin with ("vif3.0-").
  std::vector<int> xen_domains = {};
  std::vector<std::string> kernel_threads = {};
};

// One way to place a workload. arrange() is called once; the destructor takes everything down again.
class Platform {
 public:
  virtual ~Platform() = default;
  [[nodiscard]] virtual Result<Bench> arrange(const Setup& setup) = 0;
};

// No virtualisation: over `lo` with Ethernet's MTU, or card to card. The ends live in network namespaces of
// their own, which cost nothing and leave the machine's own configuration alone.
[[nodiscard]] std::unique_ptr<Platform> make_native();
// A network namespace behind veth and a bridge.
[[nodiscard]] std::unique_ptr<Platform> make_container();

}  // namespace vtax
