#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"

namespace vtax {

// Connections from outside that one system serves.
struct ForwardedPort {
  std::uint16_t port = 0;  // TCP and UDP
  std::string ipv4;        // the system's
};

// NAT in the caller's network namespace, as nf_tables does it since Linux 4.18 for everybody (iptables'
// commands make the same rules): what leaves through a device has that device's address (masquerade), and
// what comes to a forwarded port is for its system. The table goes with this object.
class AddressTranslation {
 public:
  // Error: the kernel lacks nf_tables or its modules nft_chain_nat, nft_masq, nft_nat.
  [[nodiscard]] static Result<AddressTranslation> start(const std::vector<std::string>& outward_devices,
                                                        const std::vector<ForwardedPort>& ports);
  AddressTranslation(AddressTranslation&& other) noexcept;
  AddressTranslation& operator=(AddressTranslation&&) = delete;
  ~AddressTranslation();

 private:
  AddressTranslation() = default;
  bool there_ = false;
};

}  // namespace vtax
