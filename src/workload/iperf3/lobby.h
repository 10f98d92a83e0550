#pragma once

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/descriptor.h"
#include "workload/iperf3/protocol.h"

namespace vtax::iperf3 {

// Connections that have not said yet which test they belong to. The first whole cookie wins; silence and
// garbage cost nobody else anything.
class Lobby {
 public:
  struct Client {
    Descriptor connection;
    Cookie cookie{};
  };

  static constexpr std::size_t kMostWaiting = 64;  // the oldest leaves for one more
  static constexpr std::chrono::seconds kPatience{3};

  // Accepts what waits at the listener.
  void admit(int listener);
  // What to poll for beside the listener.
  void watch(std::vector<pollfd>& into) const;
  // A client with a plausible cookie, if there is one; who took too long or talks nonsense is closed.
  [[nodiscard]] std::optional<Client> next();
  // The others are told that the server is busy.
  void dismiss();

 private:
  struct Guest {
    Descriptor connection;
    std::chrono::steady_clock::time_point since;
  };
  std::vector<Guest> guests_;
};

}  // namespace vtax::iperf3
