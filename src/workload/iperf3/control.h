#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>

#include "core/descriptor.h"
#include "core/json_fields.h"
#include "core/result.h"
#include "workload/iperf3/protocol.h"

namespace vtax::iperf3 {

// The control connection of one test. Everything that is read has a time limit and a size limit, and ends
// when this program is interrupted.
class Control {
 public:
  using Patience = std::chrono::milliseconds;

  // `peer` names the other side in errors: "the server at 192.0.2.7:5201".
  Control(Descriptor connection, std::string peer);

  // From here on an interruption ends nothing: the test is being brought to its end because of one.
  void end_in_spite_of_interruption() { interruptible_ = false; }

  [[nodiscard]] int fd() const { return connection_.get(); }
  [[nodiscard]] const std::string& peer() const { return peer_; }

  [[nodiscard]] Result<> send(State state) const;
  [[nodiscard]] Result<> send(const nlohmann::json& json) const;
  [[nodiscard]] Result<> send(const Cookie& cookie) const;
  [[nodiscard]] Result<> send_error(ErrorNumber error, int system_error) const;

  // The next state. That the other side ends or refuses the test is an error that says so, with ErrorNumber's
  // meaning where one was sent.
  [[nodiscard]] Result<State> receive_state(Patience patience) const;
  // The next state must be this one.
  [[nodiscard]] Result<> expect(State state, Patience patience) const;
  // `what` begins errors about the content.
  [[nodiscard]] Result<JsonFields> receive_json(const std::string& what, Patience patience) const;

 private:
  [[nodiscard]] Result<> send_bytes(std::span<const std::byte> data) const;
  [[nodiscard]] Result<> receive_bytes(std::span<std::byte> data, Patience patience) const;
  [[nodiscard]] Error error(std::string why, std::string next = "") const;

  Descriptor connection_;
  std::string peer_;
  bool interruptible_ = true;
};

}  // namespace vtax::iperf3
