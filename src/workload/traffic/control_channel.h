#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "core/descriptor.h"
#include "core/json_fields.h"
#include "core/result.h"

namespace vtax {

// JSON objects, one per line, over a stream socket. The other side may be a guest: a line is at most
// JsonFields::most_bytes long, and each wait has a limit.
class ControlChannel {
 public:
  explicit ControlChannel(Descriptor fd, std::string partner)
      : fd_(std::move(fd)), partner_(std::move(partner)) {}

  [[nodiscard]] Result<> send(const nlohmann::json& message);
  // limit zero: waits for ever (an endpoint that waits for orders).
  [[nodiscard]] Result<JsonFields> receive(std::chrono::nanoseconds limit);
  // From now on receive() ends with interruption_error() when the user interrupts vtax.
  void end_on_interruption(bool yes = true) { ends_on_interruption_ = yes; }
  // Whether something has come, or the other side has gone: receive() would not wait long.
  [[nodiscard]] bool has_news() const;
  [[nodiscard]] int descriptor() const { return fd_.get(); }
  [[nodiscard]] bool valid() const { return fd_.valid(); }
  [[nodiscard]] const std::string& partner() const { return partner_; }

 private:
  Descriptor fd_;
  std::string partner_;  // for errors: "the peer", "guest1"
  bool ends_on_interruption_ = false;
  std::string pending_;  // received after the last whole line
};

}  // namespace vtax
