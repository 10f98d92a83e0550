#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/result.h"

struct nl_sock;
struct rtnl_addr;

namespace vtax {

// The network devices, addresses and neighbours of one network namespace, through rtnetlink. It belongs to
// the namespace in which it was opened, wherever the thread is later. Devices are named; every error names
// the device.
class Links {
 public:
  [[nodiscard]] static Result<Links> open();

  [[nodiscard]] Result<> add_veth(const std::string& device, const std::string& partner);
  // No spanning tree, no multicast snooping: a bridge that sends nothing of its own.
  [[nodiscard]] Result<> add_bridge(const std::string& device);
  // A tap on the card itself, beside others of its kind (mode bridge), with an Ethernet address of its own.
  [[nodiscard]] Result<> add_macvtap(const std::string& device, const std::string& card,
                                     const std::string& mac);
  [[nodiscard]] Result<> remove(const std::string& device);

  [[nodiscard]] Result<> set_up(const std::string& device, bool up = true);
  [[nodiscard]] Result<> set_mtu(const std::string& device, unsigned mtu);
  [[nodiscard]] Result<> set_mac(const std::string& device, const std::string& mac);
  // Of a card's virtual function 0, 1, ...
  [[nodiscard]] Result<> set_function_mac(const std::string& device, unsigned function,
                                          const std::string& mac);
  [[nodiscard]] Result<> set_master(const std::string& device, const std::string& bridge);
  // Out of its bridge, and down.
  [[nodiscard]] Result<> release(const std::string& device);
  // Into the network namespace behind a descriptor.
  [[nodiscard]] Result<> move(const std::string& device, int network_namespace);

  [[nodiscard]] Result<> add_address(const std::string& device, const std::string& ipv4, int prefix_bits);
  [[nodiscard]] Result<> remove_address(const std::string& device, const std::string& ipv4, int prefix_bits);
  // To one address or a subnet, directly behind the device or by a gateway there ("0.0.0.0", 0: everything).
  [[nodiscard]] Result<> add_route(const std::string& ipv4, int prefix_bits, const std::string& device,
                                   const std::string& gateway = "");
  // A neighbour that is known for ever: no address resolution takes place.
  [[nodiscard]] Result<> add_neighbour(const std::string& device, const std::string& ipv4,
                                       const std::string& mac);

  // What leaves the device is held to a rate, by a token bucket (tbf) in front of it: frames of the link
  // layer without preamble, checksum and gap. The bucket is twice the largest segment, so that none is cut
  // up; 100 ms of it may wait.
  [[nodiscard]] Result<> shape(const std::string& device, std::uint64_t bits_per_second);

  [[nodiscard]] Result<std::uint32_t> index_of(const std::string& device);
  // The device whose Ethernet address this is ("52:54:00:00:00:0a").
  [[nodiscard]] Result<std::string> find_by_mac(const std::string& mac);
  // Sleeps until the device runs (has its carrier), told by the kernel's notifications. Call it
  // in the namespace in which this was opened.
  [[nodiscard]] Result<> wait_until_running(const std::string& device, std::chrono::nanoseconds limit);

 private:
  struct Close {
    void operator()(nl_sock* socket) const;
  };
  using Socket = std::unique_ptr<nl_sock, Close>;
  explicit Links(Socket socket) : socket_(std::move(socket)) {}
  template <class Change>
  Result<> change(const std::string& device, const char* what, Change change);
  Result<> change_address(const std::string& device, const std::string& ipv4, int prefix_bits,
                          const char* what, int (*change)(nl_sock*, rtnl_addr*, int));

  Socket socket_;
};

}  // namespace vtax
