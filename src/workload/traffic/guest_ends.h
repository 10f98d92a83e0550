#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "core/descriptor.h"
#include "core/result.h"

namespace vtax {

// The ends of guests that work together. A guest that dies closes no connection, and its partner, which may
// be the one that is waited for, waits in vain: so whoever waits for any of them listens here, too.
class GuestEnds {
 public:
  // One more guest, or several: `sign` can be read from an end on, as a pidfd of the process that runs it;
  // `of_what` then gives the error. An invalid sign: nobody tells, and it is not listened to.
  void add(Descriptor sign, std::function<Error()> of_what);

  // Can be read once a guest has ended. Below zero: none of them tells.
  [[nodiscard]] int descriptor() const { return any_.get(); }

  // Of the first that has ended. Nothing: none has, nor does within `patience`.
  [[nodiscard]] std::optional<Error> error(std::chrono::milliseconds patience = {}) const;

 private:
  struct Watched {
    Descriptor sign;
    std::function<Error()> of_what;
  };
  std::vector<Watched> guests_;
  Descriptor any_;  // epoll's, of all signs
};

}  // namespace vtax
