#pragma once

#include <array>
#include <chrono>
#include <vector>

#include "core/descriptor.h"
#include "core/result.h"
#include "machine/lab/machine_spec.h"

namespace vtax::lab {

// What joins machines that advance together in virtual time (docs/design/joined-machines.md): the memory in
// which they meet, and the sockets that their cards send to. It outlives the machines' emulators, one for
// each seat.
class Joint {
 public:
  // `machines`: 2 to 4. `latency`: how long a packet takes. Error: the kernel's.
  [[nodiscard]] static Result<Joint> make(int machines, std::chrono::nanoseconds latency);

  [[nodiscard]] JointEnd end(int seat, bool is_peers = false) const;

 private:
  struct Socket {
    Descriptor emulators, other;  // nothing is ever written to either, and the other one keeps it connected
  };

  Descriptor memory_;
  std::vector<std::array<Socket, 2>> sockets_;  // by seat
  std::chrono::nanoseconds latency_{};
};

}  // namespace vtax::lab
