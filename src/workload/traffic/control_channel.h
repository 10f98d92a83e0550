#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "core/descriptor.h"
#include "core/json_fields.h"
#include "core/result.h"

namespace vtax {

// What an endpoint answers in place of what it was asked for.
[[nodiscard]] nlohmann::json error_message(const Error& error);

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
  // The other side is in a guest, whose connection stays when its machine ends: `sign` can be read then, as a
  // pidfd of the process that runs it. From now on receive() fails when that is so, with the error that
  // `of_what` gives.
  void end_with(Descriptor sign, std::function<Error()> of_what) {
    end_ = std::move(sign);
    of_what_ = std::move(of_what);
  }
  // From now on, as soon as `sign` can be read while receive() waits: this side says the error that `news`
  // gives, once and unasked. An invalid one: it is silent again.
  void tell_when(Descriptor sign, std::function<Error()> news) {
    sign_ = std::move(sign);
    news_ = std::move(news);
  }
  // Whether something has come, or the other side has gone: receive() would not wait long.
  [[nodiscard]] bool has_news() const;
  [[nodiscard]] int descriptor() const { return fd_.get(); }
  [[nodiscard]] int end() const { return end_.get(); }  // end_with()'s; below zero: none
  [[nodiscard]] bool valid() const { return fd_.valid(); }
  [[nodiscard]] const std::string& partner() const { return partner_; }

 private:
  Result<> tell_news();

  Descriptor fd_, end_, sign_;
  std::function<Error()> of_what_, news_;
  std::string partner_;  // for errors: "the peer", "guest1"
  bool ends_on_interruption_ = false;
  std::string pending_;  // received after the last whole line
};

}  // namespace vtax
