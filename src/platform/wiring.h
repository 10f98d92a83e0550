#pragma once

#include <string>

#include "core/result.h"
#include "platform/endpoint_process.h"
#include "platform/links.h"

// The steps that the platforms share.
namespace vtax::wiring {

// One private subnet, fixed addresses: runs must be the same to the bit.
inline constexpr int prefix_bits = 24;
inline constexpr char driver_ipv4[] = "10.77.0.1";
inline constexpr char system_ipv4[] = "10.77.0.2";
inline constexpr char peer_ipv4[] = "10.77.0.3";
inline constexpr char driver_mac[] = "02:76:74:61:78:01";
inline constexpr char system_mac[] = "02:76:74:61:78:02";
inline constexpr char peer_mac[] = "02:76:74:61:78:03";

inline constexpr std::chrono::seconds carrier_limit{30};

// Addresses of the first, second, ... system under test; the first has the two above.
[[nodiscard]] std::string guest_ipv4(int guest);
[[nodiscard]] std::string guest_mac(int guest);

// An end's network device, and who is on the other side of it.
struct Interface {
  std::string device;
  std::string ipv4, mac;
  std::string other_ipv4, other_mac;
  bool offloads = true;
};
[[nodiscard]] Interface system_interface(const std::string& device, bool offloads, int guest = 1);
[[nodiscard]] Interface peer_interface(const std::string& device, bool offloads);

// Moves the device from `here` into the end's namespace, and configures it there. It may still wait for its
// carrier.
[[nodiscard]] Result<> hand_over(Links& here, const EndpointProcess& end, const Interface& interface);
[[nodiscard]] Result<> wait_for_carrier(const EndpointProcess& end, const std::string& device);

// The end's device knows guests 2 to `guests`, too.
[[nodiscard]] Result<> introduce_guests(const EndpointProcess& end, const std::string& device, int guests);

// The same with a card: its interrupts go to the end's CPU.
[[nodiscard]] Result<> hand_over_card(Links& here, const EndpointProcess& end, const Interface& interface,
                                      int cpu);

// Both directions of the wire: card A in the caller's namespace or in `system`'s, card B in the peer's.
// 1 Gb/s on the wire are 1514/1538 of it in frames as a card is given them (preamble 8, checksum 4, gap 12
// bytes), so that full frames of TCP carry 941.49 Mb/s.
[[nodiscard]] Result<> shape_link(Links* here, const EndpointProcess* system, const std::string& card,
                                  const EndpointProcess& peer, const std::string& peer_card,
                                  std::uint64_t bits_per_second);

// Order "softload" to a system under test.
[[nodiscard]] Result<> start_softload(EndpointClient& system, int percent);

// A bridge with a fixed Ethernet address, up.
[[nodiscard]] Result<> make_bridge(Links& here, const std::string& bridge, bool offloads);
// A device becomes a port of the bridge, and is up.
[[nodiscard]] Result<> plug(Links& here, const std::string& device, const std::string& bridge, bool offloads);
[[nodiscard]] Result<> plug_card(Links& here, const std::string& card, const std::string& bridge,
                                 bool offloads, int cpu);

}  // namespace vtax::wiring
