#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "core/descriptor.h"
#include "core/json_fields.h"
#include "core/result.h"
#include "workload/traffic/guest_ends.h"

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
  // The other side is a guest, or works with one. From now on receive() fails when one of these ends, with
  // its error.
  void end_with(std::shared_ptr<const GuestEnds> guests) { guests_ = std::move(guests); }
  // What an error is of: a guest of those that has ended, or is about to, or itself.
  [[nodiscard]] Error cause_of(Error error) const;
  // From now on, as soon as `sign` can be read while receive() waits: this side says the error that `news`
  // gives, once and unasked. An invalid one: it is silent again.
  void tell_when(Descriptor sign, std::function<Error()> news) {
    sign_ = std::move(sign);
    news_ = std::move(news);
  }
  // Whether something has come, or the other side has gone: receive() would not wait long.
  [[nodiscard]] bool has_news() const;
  [[nodiscard]] int descriptor() const { return fd_.get(); }
  // end_with()'s; below zero: none.
  [[nodiscard]] int ends() const { return guests_ ? guests_->descriptor() : -1; }
  [[nodiscard]] bool valid() const { return fd_.valid(); }
  [[nodiscard]] const std::string& partner() const { return partner_; }

 private:
  Result<> tell_news();

  Descriptor fd_, sign_;
  std::shared_ptr<const GuestEnds> guests_;
  std::function<Error()> news_;
  std::string partner_;  // for errors: "the peer", "guest1"
  bool ends_on_interruption_ = false;
  std::string pending_;  // received after the last whole line
};

}  // namespace vtax
