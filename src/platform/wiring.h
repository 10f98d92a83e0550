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

// An end's network device, and who is on the other side of it.
struct Interface {
  std::string device;
  std::string ipv4, mac;
  std::string other_ipv4, other_mac;
  bool offloads = true;
};
[[nodiscard]] Interface system_interface(const std::string& device, bool offloads);
[[nodiscard]] Interface peer_interface(const std::string& device, bool offloads);

// Moves the device from `here` into the end's namespace, and configures it there. It may still wait for its
// carrier.
[[nodiscard]] Result<> hand_over(Links& here, const EndpointProcess& end, const Interface& interface);
[[nodiscard]] Result<> wait_for_carrier(const EndpointProcess& end, const std::string& device);

// The same with a card: its interrupts go to the end's CPU.
[[nodiscard]] Result<> hand_over_card(Links& here, const EndpointProcess& end, const Interface& interface,
                                      int cpu);

// A bridge with a fixed Ethernet address, up.
[[nodiscard]] Result<> make_bridge(Links& here, const std::string& bridge, bool offloads);
// A device becomes a port of the bridge, and is up.
[[nodiscard]] Result<> plug(Links& here, const std::string& device, const std::string& bridge, bool offloads);
[[nodiscard]] Result<> plug_card(Links& here, const std::string& card, const std::string& bridge,
                                 bool offloads, int cpu);

}  // namespace vtax::wiring
