#pragma once

#include <string>

#include "core/result.h"
#include "platform/endpoint_process.h"
#include "platform/links.h"
#include "platform/platform.h"

// The steps that the platforms share.
namespace vtax::wiring {

// One private subnet, fixed addresses: runs must be the same to the bit.
inline constexpr int kPrefixBits = 24, kHostBits = 32;
inline constexpr char kDriverIpv4[] = "10.77.0.1";
inline constexpr char kSystemIpv4[] = "10.77.0.2";
inline constexpr char kPeerIpv4[] = "10.77.0.3";
inline constexpr char kDriverMac[] = "02:76:74:61:78:01";
inline constexpr char kSystemMac[] = "02:76:74:61:78:02";
inline constexpr char kPeerMac[] = "02:76:74:61:78:03";

// Where a router stands between (Forwarding), the peers have subnets of their own, one behind each card
// (way 0, 1), and this is the router's end there.
inline constexpr char kOuterMac[] = "02:76:74:61:78:04";
[[nodiscard]] std::string outer_ipv4(int way);
[[nodiscard]] std::string outer_peer_ipv4(int way);

// Of Xen's driver domains 1, 2, ...: their bridge, with their own address, and the end of the interface by
// which Domain-0 reaches that bridge.
[[nodiscard]] std::string driver_domain_ipv4(int driver);
[[nodiscard]] std::string driver_domain_mac(int driver);
[[nodiscard]] std::string driver_uplink_mac(int driver);

// The bridge's of joined machine 1, 2, ..., whose guests ask the driver domain of the one before all of them.
[[nodiscard]] std::string other_machine_mac(int seat);

inline constexpr std::chrono::seconds kCarrierLimit{30};

// Addresses of the first, second, ... system under test; the first has the two above.
[[nodiscard]] std::string guest_ipv4(int guest);
[[nodiscard]] std::string guest_mac(int guest);

// Of the second device that a guest has with Forwarding::macvtap and vf: it carries the work, and the first
// one its driver domain's orders.
[[nodiscard]] std::string second_ipv4(int guest);
[[nodiscard]] std::string second_mac(int guest);

// Of whichever of the two carries the work.
[[nodiscard]] std::string work_ipv4(int guest, Forwarding forwarding);
[[nodiscard]] std::string work_mac(int guest, Forwarding forwarding);

// An end's network device, and who is on the other side of it.
struct Interface {
  std::string device;
  std::string ipv4, mac;
  std::string other_ipv4, other_mac;
  bool offloads = true;
  std::string gateway = {};  // to everything else; empty: there is nothing else
};
[[nodiscard]] Interface system_interface(const std::string& device, bool offloads, int guest = 1,
                                         Forwarding forwarding = Forwarding::bridge);
// Behind a router that translates addresses the peers know no way to the systems.
[[nodiscard]] Interface peer_interface(const std::string& device, bool offloads,
                                       Forwarding forwarding = Forwarding::bridge, int way = 0);

// Moves the device from `here` into the end's namespace, and configures it there. It may still wait for its
// carrier.
[[nodiscard]] Result<> hand_over(Links& here, const EndpointProcess& end, const Interface& interface);
[[nodiscard]] Result<> wait_for_carrier(const EndpointProcess& end, const std::string& device);

// The end's device knows guests 2 to `guests`, too.
[[nodiscard]] Result<> introduce_guests(const EndpointProcess& end, const std::string& device, int guests,
                                        Forwarding forwarding = Forwarding::bridge);

// The same with a card: its interrupts go to the end's CPU.
[[nodiscard]] Result<> hand_over_card(Links& here, const EndpointProcess& end, const Interface& interface,
                                      int cpu);

// One direction of the wire: what the card of the caller's namespace, or of the end's, sends. 1 Gb/s on the
// wire are 1514/1538 of it in frames as a card is given them (preamble 8, checksum 4, gap 12
// bytes), so that full frames of TCP carry 941.49 Mb/s.
// 0: as it is.
[[nodiscard]] Result<> shape_end(Links& here, const std::string& card, std::uint64_t bits_per_second);
[[nodiscard]] Result<> shape_end(const EndpointProcess& end, const std::string& card,
                                 std::uint64_t bits_per_second);

// The end of system 1, 2, ..., on either side; those before it are in `ends`. It has a network namespace of
// its own, or, if it is not the first on its wire, the first one's.
[[nodiscard]] Result<EndpointProcess> start_on_wire(const std::vector<EndpointProcess>& ends,
                                                    const Setup& setup, int guest, const std::string& name,
                                                    int cpu);

// The peer of that place, from 0 on: one of `here`, or, where peers are elsewhere, of those.
[[nodiscard]] EndpointClient* peer_client(std::vector<EndpointClient>* elsewhere,
                                          std::vector<EndpointProcess>& here, std::size_t place);

// The address under which peers reach a system, where that is not its own (End::known_as).
[[nodiscard]] std::string name_outside(Forwarding forwarding, int wire);

// Both cards of a wire are counted, and are an end of the last hop.
void count_wire(Bench& bench, int wire, const CountedDevice& system, const CountedDevice& peer);

// Order "sample" to a system under test.
[[nodiscard]] Result<> start_sampling(EndpointClient& system, unsigned hz);

// The same where all ends are processes of one kernel: all systems are on one CPU, and inside one machine the
// peers' CPU is theirs too.
[[nodiscard]] Result<> sample_ends(std::vector<EndpointProcess>& systems, std::vector<EndpointProcess>& peers,
                                   const Setup& setup);

// Order "offloads": segmentation on or off, to whoever has the device.
[[nodiscard]] Result<> set_offloads(EndpointClient& end, const std::string& device, bool on);

// Order "softload" to a system under test.
[[nodiscard]] Result<> start_softload(EndpointClient& system, int percent);

// A bridge with a fixed Ethernet address, up.
[[nodiscard]] Result<> make_bridge(Links& here, const std::string& bridge, bool offloads);
// A device becomes a port of the bridge, or none's where it has no name, and is up.
[[nodiscard]] Result<> plug(Links& here, const std::string& device, const std::string& bridge, bool offloads);
[[nodiscard]] Result<> plug_card(Links& here, const std::string& card, const std::string& bridge,
                                 bool offloads, int cpu);

}  // namespace vtax::wiring
