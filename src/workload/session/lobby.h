#pragma once

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/descriptor.h"
#include "core/net_address.h"
#include "workload/session/secret.h"

namespace vtax {

// Connections that have not proved the token yet. They wait here, in the server's own process and without
// blocking it, so that a stranger takes no session's place: whoever shows the proof is served, whatever the
// others do.
class Lobby {
 public:
  struct Client {
    Descriptor connection;
    std::string challenge;  // the client's, to which this side owes its proof
  };

  // More than that, and the longest waiting of the address that has most leaves.
  static constexpr std::size_t kMostWaiting = 256;
  static constexpr std::chrono::seconds kPatience{3};

  explicit Lobby(const Secret& secret) : secret_(secret) {}

  // Accepts and greets all that wait at the listener, which must not block.
  void admit(int listener);
  // What to poll for beside the listener.
  void watch(std::vector<pollfd>& into) const;
  // The next with the token. Strangers are told that they are refused, once they have said something wrong;
  // who says nothing is closed after a while.
  [[nodiscard]] std::optional<Client> next();
  // How many were refused since this was last asked.
  [[nodiscard]] std::uint64_t take_refused();

 private:
  struct Guest {
    Descriptor connection;
    NetAddress from;
    std::string challenge, said;
    std::chrono::steady_clock::time_point since;
  };
  enum class Step { waits, leaves, enters };
  Step hear(Guest& guest, std::string& challenge);
  void make_room();

  const Secret& secret_;
  std::vector<Guest> guests_;
  std::uint64_t refused_ = 0;
};

}  // namespace vtax
