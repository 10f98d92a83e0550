#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "platform/endpoint_process.h"
#include "workload/endpoint_client.h"

namespace vtax {

// Where the other end of the traffic is: in the same machine, or behind two network cards joined by a wire.
enum class Topology { inside, card };

struct Setup {
  Topology topology = Topology::inside;
  bool offloads = true;  // TSO, GSO and GRO of every device along the path
  int system_cpu = 0;    // of the program under test (a guest has its own numbering and ignores it)
  int peer_cpu = 0;      // of the other end
  std::string system_card, peer_card;      // devices of the caller's namespace; for Topology::card only
  std::uint64_t link_bits_per_second = 0;  // of the wire between the cards, all its bits; 0: as it is
  int softload_percent = 0;                // of its CPU, beside each system's work
  int guests = 1;                          // systems under test that work at once, each with a partner
};

struct CountedDevice {
  std::string side;    // "system" (under test) or "peer"
  std::string domain;  // "host", "Domain-0", "guest1"
  std::string device;
};

struct End {
  EndpointClient* client = nullptr;  // owned by the platform
  std::string ipv4;
  bool in_guest = false;               // its control connection shares devices with the traffic
  std::vector<CountedDevice> devices;  // in its network namespace: only it can read their counters
  std::string name = {};               // of a system under test: "guest1", "process1", "container1"
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
  pid_t process = 0;
  Role role = Role::system;
  int cpu = 0;  // to which it is pinned
};

// Two ends that reach each other, and every device between them.
struct Bench {
  End system, peer;
  std::vector<CountedDevice> here;  // in the caller's network namespace
  // The two ends of the last hop (with cards: the wire). What these receive are the packets of the work: a
  // card that segments counts what it is given when it sends, but single packets when it receives. `lo` is
  // both ends.
  std::vector<CountedDevice> wire;
  std::vector<EndPair> more = {};  // the second system under test with its partner, the third, ...
  std::vector<MeteredProcess> processes = {};
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
